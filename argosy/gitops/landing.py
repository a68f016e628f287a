"""Landing a commit on a ref of the remote: by compare and swap, and again upon whatever others pushed meanwhile."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from argosy.errors import Transient
from argosy.gitops.mirror import Mirror, PushRejected
from argosy.gitops.patience import Pace, Patience
from argosy.gitops.signing import Signing, SigningKey
from argosy.processes.groups import shared_group

logger = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Made(Generic[T]):
    """A commit upon the ref's `head` (None where it is not there yet), or none where nothing has to change."""

    head: str | None
    commit: str | None
    outcome: T


@dataclass(frozen=True, slots=True)
class Landed(Generic[T]):
    """The commit that landed (None where nothing had to change), what was returned beside it, and the attempts."""

    commit: str | None
    outcome: T
    attempts: int


@dataclass(frozen=True, slots=True)
class Landing:
    """A way to `ref` of the remote for commits that `key` signs; `beside` are refs that they are made from as well."""

    mirror: Mirror
    ref: str
    key: SigningKey | None
    patience: Patience
    pace: Pace
    beside: tuple[str, ...] = ()

    def land(self, make: Callable[[Signing], Made[T]]) -> Landed[T]:
        """Push what `make` makes upon the ref as the mirror has it, by compare and swap.

        It is asked anew whenever somebody else's push came first.

        The runs of one machine take turns, so that they are never beaten by one another.

        Raises Terminal when the push is refused, Unverified (Terminal) when the commit's signature does not hold before
        the push or on the remote after it, PushRejected (Transient) when patience has an end.
        """
        attempt = 0
        with Signing(self.key) as signing, self.mirror.turn(self.ref, self.pace), shared_group():
            for attempt in self.pace.attempts(self.patience):
                if attempt == 1:
                    self.mirror.update()
                else:
                    self.look_again()
                made = make(signing)
                if made.commit is None or self._swap(made.commit, made.head):
                    break
            else:
                raise PushRejected(
                    f"{self.ref} moved under each of {attempt} attempts",
                    remedy="run the release again; if many write there all the time, raise target.push in argosy.yaml",
                )
            if made.commit is not None:
                self._confirm(made.commit, signing)
        return Landed(made.commit, made.outcome, attempt)

    def look_again(self) -> None:
        """Bring to hand where the ref is by now, and those beside it."""
        self.mirror.follow(self.ref, *self.beside)

    def _swap(self, made: str, expected: str | None) -> bool:
        """Push by compare and swap; whether it was not somebody else who came first."""
        try:
            self.mirror.push(made, self.ref, expected)
        except PushRejected:
            logger.info("%s moved meanwhile; applying the changes again", self.ref)
            return False
        return True

    def _confirm(self, made: str, signing: Signing) -> None:
        """See that the remote has `made`, and that it is signed there, where commits are signed."""
        if not signing.on:
            return
        self.mirror.update()
        tip = self.mirror.git.ref(self.ref)
        if tip is None or not self.mirror.git.is_ancestor(made, tip):
            raise Transient(
                f"{self.ref} was set back right after our push, and has lost {made[:12]}",
                remedy="see who forces pushes there; run again, and what is left to do is done upon theirs",
            )
        signing.verify(self.mirror.git, made)
