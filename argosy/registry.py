"""The data plane of an OCI registry: which manifest a tag names, and further tags for it."""

from __future__ import annotations

import hashlib
import re
import ssl
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from argosy.errors import Terminal
from argosy.registry_auth import SCOPE, ChallengeAuth, RegistryCredentials, is_loopback
from argosy.registry_errors import fault, unreachable

__all__ = ["MEDIA_TYPES", "Manifest", "Registry", "RegistryCredentials", "is_tag"]

MEDIA_TYPES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
"""The manifests and indexes that are asked for."""

# The grammar of the OCI distribution specification 1.1, and of a host as image references write it.
_NAME = re.compile(r"(?=.{1,255}$)[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*")
_TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")
_HOST = re.compile(r"([A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:]+\])(?::[0-9]{1,5})?")


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest or index as the registry holds it, byte for byte; `digest` is that of `content`."""

    media_type: str
    digest: str
    content: bytes


class Registry(AbstractContextManager["Registry"]):
    """A client for the registry at `host` (`HOST[:PORT]`); usable by several threads, closed by `with`.

    TLS is left out only on loopback addresses, and there too not where `ca`, a PEM file, says whom to trust.
    `timeout` in seconds bounds each connecting, reading and writing. The methods raise Transient for 408, 429, 5xx
    and no answer; Terminal for every other refusal and for names that the specification does not allow.
    """

    def __init__(
        self,
        host: str,
        credentials: RegistryCredentials | None = None,
        *,
        timeout: float = 30.0,
        ca: Path | None = None,
    ) -> None:
        match = _HOST.fullmatch(host)
        if match is None:
            raise Terminal(f"{host!r} is no registry host", remedy="write HOST or HOST:PORT, without a scheme")
        plain = ca is None and is_loopback(match[1])
        self.host = host
        self._client = httpx.Client(
            base_url=f"{'http' if plain else 'https'}://{host}/v2/",
            auth=ChallengeAuth(credentials, plain=plain),
            headers={"Accept": ", ".join(MEDIA_TYPES)},
            timeout=timeout,
            verify=_trust(ca),
            # Neither ~/.netrc nor a proxy that happens to be set may see these credentials.
            trust_env=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def digest_of(self, name: str, reference: str) -> str | None:
        """The digest of the manifest that a tag or digest of repository `name` names; None where there is none."""
        response = self._send("HEAD", name, reference)
        if response.status_code == httpx.codes.NOT_FOUND:
            return None
        self._check(response, name, reference)
        digest: str = response.headers.get("docker-content-digest", "")
        # The header is optional in the specification.
        return digest if _DIGEST.fullmatch(digest) else self.manifest(name, reference).digest

    def manifest(self, name: str, reference: str) -> Manifest:
        """The manifest that a tag or digest of repository `name` names; raises Terminal where its digest is wrong."""
        response = self._send("GET", name, reference)
        self._check(response, name, reference)
        header = response.headers.get("docker-content-digest", "")
        claimed = next((text for text in (reference, header) if _DIGEST.fullmatch(text)), "sha256:")
        digest = _digest(response.content, claimed.partition(":")[0])
        if claimed not in {digest, "sha256:"}:
            raise Terminal(
                f"{self._what(name, reference)}: the registry sent {digest} for {claimed}",
                remedy="see whether a proxy changes what passes through it, or the registry's storage is damaged",
            )
        return Manifest(response.headers.get("content-type", "").partition(";")[0].strip(), digest, response.content)

    def tag(self, name: str, manifest: Manifest, tag: str) -> None:
        """Let `tag` of repository `name` name `manifest`, whose blobs are there; success where it does already."""
        if not _TAG.fullmatch(tag):
            raise Terminal(f"{tag!r} is no tag", remedy="use letters, digits, `_`, `.` and `-`, 128 at most")
        response = self._send("PUT", name, tag, manifest)
        # An immutable repository refuses even what changes nothing, each product with a status of its own.
        refused = 400 <= response.status_code < 500 and response.status_code not in {401, 403, 404, 408, 429}
        if refused and self.digest_of(name, tag) == manifest.digest:
            return
        self._check(response, name, tag)

    def retag(self, name: str, source: str, tags: Iterable[str]) -> Manifest:
        """Give the manifest that `source` names each of `tags` too, and return it: same bytes, same digest."""
        manifest = self.manifest(name, source)
        for tag in tags:
            self.tag(name, manifest, tag)
        return manifest

    def _send(self, method: str, name: str, reference: str, manifest: Manifest | None = None) -> httpx.Response:
        _validate(name, reference)
        request = self._client.build_request(
            method,
            f"{name}/manifests/{reference}",
            content=manifest.content if manifest else None,
            headers={"Content-Type": manifest.media_type} if manifest else None,
            extensions={SCOPE: f"repository:{name}:{'pull,push' if manifest else 'pull'}"},
        )
        try:
            return self._client.send(request)
        except httpx.RequestError as error:
            raise unreachable(error, self._what(name, reference)) from error

    def _check(self, response: httpx.Response, name: str, reference: str) -> None:
        if not response.is_success:
            raise fault(response, f"{response.request.method} {self._what(name, reference)}")

    def _what(self, name: str, reference: str) -> str:
        return f"{self.host}/{name}{'@' if ':' in reference else ':'}{reference}"


def is_tag(text: str) -> bool:
    """Whether a registry would take `text` for a tag."""
    return _TAG.fullmatch(text) is not None


def _validate(name: str, reference: str) -> None:
    if not _NAME.fullmatch(name):
        raise Terminal(f"{name!r} is no repository name", remedy="use lower-case words parted by `/`, `.`, `_` or `-`")
    if not (_TAG.fullmatch(reference) or _DIGEST.fullmatch(reference)):
        raise Terminal(f"{reference!r} is neither a tag nor a digest", remedy="correct the tag of this image")


def _digest(content: bytes, algorithm: str) -> str:
    return f"{algorithm}:{hashlib.new(algorithm, content).hexdigest()}"


def _trust(ca: Path | None) -> ssl.SSLContext:
    if ca is None:
        return _usual_trust()
    try:
        return ssl.create_default_context(cafile=ca)
    except OSError as error:
        raise Terminal(f"{ca} is no readable CA file: {error}", remedy="name a PEM file of certificates") from error


@cache
def _usual_trust() -> ssl.SSLContext:
    # Reading every certificate takes 30 ms in which no other thread runs, and each service of a run has a client.
    # Of the environment this reads SSL_CERT_FILE and SSL_CERT_DIR alone.
    return httpx.create_ssl_context(trust_env=True)
