"""What names, tags, digests and hosts of a registry may look like."""

from __future__ import annotations

import hashlib
import re

from argosy.errors import Terminal

# The grammar of the OCI distribution specification 1.1, and of a host as image references write it.
_NAME = re.compile(r"(?=.{1,255}$)[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*")
_TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")
_HOST = re.compile(r"([A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:]+\])(?::[0-9]{1,5})?")


def is_tag(text: str) -> bool:
    """Whether a registry would take `text` for a tag."""
    return _TAG.fullmatch(text) is not None


def is_digest(text: str) -> bool:
    """Whether `text` is a digest of an algorithm that the specification registers."""
    return _DIGEST.fullmatch(text) is not None


def check(name: str, reference: str) -> None:
    """Raise Terminal unless `name` can be a repository's, and `reference` a tag or a digest."""
    if not _NAME.fullmatch(name):
        raise Terminal(f"{name!r} is no repository name", remedy="use lower-case words parted by `/`, `.`, `_` or `-`")
    if not (is_tag(reference) or is_digest(reference)):
        raise Terminal(f"{reference!r} is neither a tag nor a digest", remedy="correct the tag of this image")


def host_name(host: str) -> str:
    """`host`, `HOST[:PORT]`, without its port; raises Terminal for what is no host."""
    match = _HOST.fullmatch(host)
    if match is None:
        raise Terminal(f"{host!r} is no registry host", remedy="write HOST or HOST:PORT, without a scheme")
    return match[1]


def digest_of(content: bytes, algorithm: str) -> str:
    """The digest of `content`, `sha256:` and its hex, say."""
    return f"{algorithm}:{hashlib.new(algorithm, content).hexdigest()}"
