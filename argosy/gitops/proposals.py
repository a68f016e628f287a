"""What a commit would change upon one head of the target, and whether that stands upon a later head too."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from argosy.git import Git
from argosy.trailers import PREFIX

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a commit would change upon one head of the target: whole files by their paths, and its message.

    `reads` names every file, or folder, that it was made from; without it nobody knows, and it is made anew for each
    head. `trees` are those that were made of it, by the head that they are upon.
    """

    files: Mapping[str, bytes]
    message: str
    reads: frozenset[str] | None = None
    trees: dict[str, str] = field(default_factory=dict, compare=False)


class Proposals(Generic[T]):
    """What `propose` makes of one head after another; what it made last is used again where it stands."""

    def __init__(self, git: Git, propose: Callable[[str], tuple[Proposal | None, T]]) -> None:
        self._git, self._propose = git, propose
        self._last: tuple[str, Proposal | None, T] | None = None

    def upon(self, head: str) -> tuple[Proposal | None, T]:
        """The proposal for that head, and what was returned beside it."""
        if self._last is None or not self._stands(*self._last[:2], head):
            self._last = head, *self._propose(head)
        else:
            self._last = head, *self._last[1:]
        return self._last[1:]

    def _stands(self, before: str, proposal: Proposal | None, after: str) -> bool:
        return before == after or (proposal is not None and stands(self._git, proposal, before, after))


def stands(git: Git, proposal: Proposal, before: str, after: str) -> bool:
    """Whether a proposal for the head `before` is the one for `after` too.

    So it is where `after` descends from it, no commit between them is Argosy's, whose trailers tell of releases, and
    nothing differs of what the proposal was made from. Then the files are as they would be, edited anew.
    """
    return bool(proposal.reads) and _led(git, before, after) and not _differ(git, before, after, proposal.reads or ())


def _led(git: Git, before: str, after: str) -> bool:
    """Whether others' commits alone lead from `before` to `after`."""
    said = git.text("log", "--left-right", "--format=%m%B", f"{before}...{after}")
    return not any(line.startswith("<") or PREFIX in line for line in said.splitlines())


def _differ(git: Git, before: str, after: str, paths: Iterable[str]) -> bool:
    literally = {"GIT_LITERAL_PATHSPECS": "1"}
    return bool(git.run("diff-tree", "-r", "--name-only", before, after, "--", *sorted(paths), extra=literally))
