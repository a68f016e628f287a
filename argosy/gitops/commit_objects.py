"""A commit as git writes it: what of it is signed, and the signature that it carries."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

_FIELD = b"gpgsig "
# What is no UTF-8 git takes for Latin-1, where it writes a commit.
_LATIN = {0xDC00 + byte: byte for byte in range(0x80, 0x100)}


@dataclass(frozen=True, slots=True)
class Unsigned:
    """A commit to be: its `tree`, its `parent` where it has one, and author and committer as git's environment."""

    tree: str
    parent: str | None
    message: bytes
    who: Mapping[str, str]

    @property
    def words(self) -> tuple[str, ...]:
        """What `git commit-tree` wants to hear of it."""
        return ("-p", self.parent, self.tree) if self.parent else (self.tree,)

    def text(self, author: str, committer: str) -> bytes:
        """Its object's content, with these two as git writes them: name, address and time."""
        parents = [f"parent {self.parent}"] if self.parent else []
        message = self.message.decode(errors="surrogateescape")
        lines = [f"tree {self.tree}", *parents, f"author {author}", f"committer {committer}", "", message]
        return "\n".join(lines).translate(_LATIN).encode()


def embedded(text: bytes, signature: str) -> bytes:
    """The commit `text` with that signature over it."""
    header, blank, message = text.partition(b"\n\n")
    field = signature.rstrip("\n").replace("\n", "\n ").encode()
    return header + b"\n" + _FIELD + field + blank + message


def extracted(text: bytes) -> tuple[bytes, str]:
    """What of the commit `text` is signed, and the signature; that is empty where there is none."""
    header, blank, message = text.partition(b"\n\n")
    kept, signature, inside = list[bytes](), list[bytes](), False
    for line in header.split(b"\n"):
        inside = line.startswith(_FIELD) or (inside and line.startswith(b" "))
        (signature if inside else kept).append(line)
    said = b"\n".join(signature).removeprefix(_FIELD).replace(b"\n ", b"\n")
    return b"\n".join(kept) + blank + message, said.decode(errors="replace")


def object_id(text: bytes) -> str:
    """The id of the commit whose content is `text`."""
    return hashlib.sha1(b"commit %d\0" % len(text) + text, usedforsecurity=False).hexdigest()
