"""The tree that a change makes upon another head, from the one that it made upon an earlier: no file is read again."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from argosy.batches import tree_entries
from argosy.git import Git

_FOLDER, _SUBMODULE = b"40000", b"160000"


class _Entry(NamedTuple):
    mode: bytes
    object_id: str

    @property
    def kind(self) -> bytes:
        return {_FOLDER: b"tree", _SUBMODULE: b"commit"}.get(self.mode, b"blob")


_Tree = Mapping[bytes, _Entry]


class _Changed(Exception):
    """Where the change goes is something else by now."""


@dataclass(frozen=True, slots=True)
class Graft:
    """What was changed from the tree of `before` to the tree `made`, to be changed in the tree of `after` as well.

    Nothing may have been removed.
    """

    before: str
    made: str
    after: str

    def tree(self, git: Git) -> str | None:
        """The tree of `after` with that change; None where somebody else has changed the same meanwhile.

        It takes two processes, and reads the folders alone in which both sides changed something.
        """
        reader, new = _Reader(git), dict[str, _Tree]()
        try:
            root = _merged(reader, new, f"{self.before}^{{tree}}", self.made, f"{self.after}^{{tree}}")
        except _Changed:
            return None
        finally:
            reader.close()
        return root if _write(git, new) else None


class _Reader:
    """Reads one tree after the other, in one process."""

    def __init__(self, git: Git) -> None:
        self._asked: list[str] = []
        self._answers = git.objects(iter(self._asked.pop, None), "tree")

    def __call__(self, name: str) -> _Tree:
        """The tree of that name."""
        self._asked.append(name)
        content = next(self._answers)
        if content is None:
            raise _Changed
        return {name: _Entry(mode, object_id) for name, mode, object_id in tree_entries(content)}

    def close(self) -> None:
        """End the process."""
        self._answers.close()


def _merged(read: _Reader, new: dict[str, _Tree], *names: str) -> str:
    """The id of the merge of these trees: before, made and after; it and what it is made of are added to `new`.

    Raises _Changed where both sides changed the same.
    """
    before, made, after = map(read, names)
    merged = dict(after)
    for name, ours in made.items():
        old, theirs = before.get(name), after.get(name)
        if ours == old:
            continue
        if theirs == old:
            merged[name] = ours
        elif old and theirs and {old.mode, ours.mode, theirs.mode} == {_FOLDER}:
            within = (each.object_id for each in (old, ours, theirs))
            merged[name] = _Entry(_FOLDER, _merged(read, new, *within))
        else:
            raise _Changed
    sha = _object_id(merged)
    new[sha] = merged
    return sha


def _object_id(tree: _Tree) -> str:
    # git sorts a folder as if its name ended with a slash.
    rows = sorted(tree.items(), key=lambda item: item[0] + b"/" * (item[1].mode == _FOLDER))
    content = b"".join(b"%b %b\0%b" % (each.mode, name, bytes.fromhex(each.object_id)) for name, each in rows)
    return hashlib.sha1(b"tree %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def _write(git: Git, trees: Mapping[str, _Tree]) -> bool:
    """Write these trees; whether they are to git what they are here."""
    rows = (b"".join(_row(*item) for item in tree.items()) for tree in trees.values())
    # --missing spares looking for what other trees have already.
    said = git.text("mktree", "-z", "--missing", "--batch", data=b"\0".join(rows))
    return said.split() == list(trees)


def _row(name: bytes, entry: _Entry) -> bytes:
    return b"%b %b %b\t%b\0" % (entry.mode, entry.kind, entry.object_id.encode(), name)
