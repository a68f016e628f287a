"""A range of first-parent commits, each with what it changed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from argosy.changes import fetches
from argosy.changes.bases import ZERO
from argosy.changes.differences import along, steps
from argosy.changes.touched import Change
from argosy.errors import WrongUse
from argosy.git import Git
from argosy.revisions import Commit, Found, Name, commit, named, unknown


@dataclass(frozen=True, slots=True)
class Past:
    """A commit, the one before it, and what it changed: None, with the reason, where nobody can tell."""

    base: str
    head: str
    changes: tuple[Change, ...] | None
    reason: str | None = None


class History:
    """The first-parent commits of `A..B`: those after A up to B, which is HEAD unless given.

    `configuration` is the file called `file` at B, where it has one. Raises WrongUse for what is no range, and for
    commits that are not to be had.
    """

    def __init__(self, git: Git, text: str, file: str) -> None:
        older, dots, newer = text.partition("..")
        if not dots or not older or newer.startswith("."):
            raise WrongUse(f"{text!r} is no range of commits", remedy="write A..B, as in v1.0..main")
        self._git = git
        names = [named(newer or "HEAD")] if older == ZERO else [named(older), named(newer or "HEAD")]
        found = self._found(names, file)
        shas = [_known(each, name) for each, name in zip(found.commits, names, strict=True)]
        self._older, self._newer = (shas[0] if len(shas) > 1 else None), shas[-1]
        self.configuration = found.content

    def _found(self, names: list[Name], file: str) -> Found:
        found = Found(self._git, names, file)
        self._shallow = fetches.is_shallow(self._git)
        missing = [name for name, each in zip(names, found.commits, strict=True) if each is None]
        for name in missing:
            fetches.commit(self._git, name)
        if self._shallow:
            head = commit(self._git, names[-1])
            fetches.deepen(self._git, (head.sha,) if head else ())
        return Found(self._git, names, file) if missing or self._shallow else found

    def walk(self) -> Iterator[Past]:
        """Each commit, the oldest first."""
        for step, changes in along(self._git, steps(self._git, self._older, self._newer)):
            if step.base is None and self._shallow:  # what git shows there is what the clone left out
                yield Past(ZERO, step.head, None, "the clone is too shallow to tell: every service counts as changed")
            elif step.base is None:
                yield Past(ZERO, step.head, tuple(changes), "there is no commit before: everything counts as added")
            else:
                yield Past(step.base, step.head, tuple(changes))


def _known(found: Commit | None, name: Name) -> str:
    if found is None:
        raise unknown(name)
    return found.sha
