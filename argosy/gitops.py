"""Writing back: one signed commit on whatever the target's head is by then, by compare and swap; and the notes."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from argosy import notes, trailers
from argosy.commits import Draft, Identity, commit, notes_commit
from argosy.environment import Environment
from argosy.errors import Terminal, Transient
from argosy.holds import FILE as HOLDS
from argosy.holds_file import added, missing
from argosy.mirror import Mirror, PushRejected
from argosy.models import Hold, Release, WriteBack
from argosy.release_edits import Edits, Upon, edits
from argosy.signing import Signing

logger = logging.getLogger(__name__)

ATTEMPTS = 8
Clock = Callable[[], datetime]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a commit would change upon one head of the target: whole files by their paths, and its message."""

    files: Mapping[str, bytes]
    message: str


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes to one environment's target, for one run."""

    mirror: Mirror
    environment: Environment
    identity: Identity
    run: str
    clock: Clock

    def land(self, propose: Callable[[str], tuple[Proposal | None, T]]) -> tuple[str | None, T, int]:
        """Commit what `propose` makes of the target's head, and push that by compare and swap.

        When somebody else's push comes first it is asked anew for the new head, at most `ATTEMPTS` times. Returns the
        commit (None where nothing was proposed), what `propose` returned beside it, and the attempts that it took.
        Raises Terminal when the push is refused, Unverified (Terminal) when the commit's signature does not hold before
        the push or on the remote after it, PushRejected (Transient) when every attempt lost the race.
        """
        ref = f"refs/heads/{self.environment.target_branch}"
        with self._signing() as signing:
            for attempt in range(1, ATTEMPTS + 1):
                self.mirror.update()
                head = self.mirror.branch(self.environment.target_branch)
                proposal, outcome = propose(head)
                if proposal is None:
                    return None, outcome, attempt
                draft = Draft(head, proposal.files, proposal.message, self.identity, self.clock())
                made = commit(self.mirror.git, draft, signing)
                if self._swap(made, ref, head):
                    self._confirm(made, ref, signing)
                    return made, outcome, attempt
        raise _outrun(ref)

    def _signing(self) -> Signing:
        return Signing(self.identity.signing_key)

    def _swap(self, made: str, ref: str, expected: str | None) -> bool:
        """Push by compare and swap; whether it was not somebody else who came first."""
        try:
            self.mirror.push(made, ref, expected)
        except PushRejected:
            logger.info("%s moved meanwhile; applying the changes again", ref)
            return False
        return True

    def _confirm(self, made: str, ref: str, signing: Signing) -> None:
        """See that the remote has `made` on `ref`, and that it is signed there, where commits are signed."""
        if not signing.on:
            return
        self.mirror.update()
        tip = self.mirror.git.ref(ref)
        if tip is None or not self.mirror.git.is_ancestor(made, tip):
            raise Transient(
                f"{ref} was set back right after our push, and has lost {made[:12]}",
                remedy="see who forces pushes there; run again, and what is left to do is done upon theirs",
            )
        signing.verify(self.mirror.git, made)

    def verified(self, found: str | None) -> str | None:
        """A commit that an earlier attempt of this run made, if any: where commits are signed it must be, too.

        Raises Unverified (Terminal) where it is not.
        """
        if found:
            with self._signing() as signing:
                signing.verify(self.mirror.git, found)
        return found

    def write_back(
        self, source_sha: str, releases: Sequence[Release], *, adopt: bool = False, by_hand: Sequence[Hold] = ()
    ) -> WriteBack:
        """Write `releases` in one commit on the target's head, whatever it is by then.

        In the same commit, or one of their own, the holds `by_hand` go into the file of holds that does not have them.
        Raises Terminal when the source commit has left its branch or the push is refused, ConfigurationError when the
        file of holds is wrong, PushRejected (Transient) when every attempt lost the race.
        """

        def propose(head: str) -> tuple[Proposal | None, Edits]:
            self._check_reachable(source_sha)
            upon = Upon(self.mirror.git, self.environment, head, self.run, self.clock())
            found = edits(upon, source_sha, releases)
            releasing = bool(found.files or (adopt and found.recorded and not found.ours))
            text = self.mirror.git.file(head, HOLDS)
            new = missing(text, by_hand)
            if not releasing and not new:
                return None, found
            files = found.files | ({HOLDS: added(text, new)} if new else {})
            return Proposal(files, self._message(source_sha, found, new, releasing=releasing)), found

        made, found, attempts = self.land(propose)
        return replace(found.written(made or self.verified(found.ours)), attempts=attempts)

    def _message(self, source_sha: str, found: Edits, new: Sequence[Hold], *, releasing: bool) -> str:
        name, run = self.environment.name, self.run
        if releasing:
            return trailers.message(name, source_sha, found.recorded, run)
        return trailers.hold_message(name, "Hold", new, run)

    def _check_reachable(self, source_sha: str) -> None:
        tip = self.mirror.branch(self.environment.source_branch)
        if not self.mirror.git.is_ancestor(source_sha, tip):
            raise Terminal(
                f"{source_sha[:12]} is not on {self.environment.source_branch} (any more)",
                remedy="release a commit that is on the environment's source branch",
            )

    def record(self, lines: Mapping[str, Sequence[str]]) -> str:
        """Add note lines to the commits they belong to, union with what others wrote, and return the notes commit.

        Raises PushRejected (Transient) when every attempt lost the race.
        """
        ref = notes.ref(self.environment.name)
        with self._signing() as signing:
            for _attempt in range(ATTEMPTS):
                self.mirror.update()
                git = self.mirror.git
                parent = git.ref(ref)
                old = {sha: notes.of(git, parent, sha) for sha in lines}
                new = {sha: notes.union(old[sha], lines[sha]) for sha in lines}
                if parent and new == old:
                    return parent
                made = notes_commit(git, Draft(parent, new, notes.MESSAGE, self.identity, self.clock()), signing)
                if self._swap(made, ref, parent):
                    self._confirm(made, ref, signing)
                    return made
        raise _outrun(ref)


def _outrun(ref: str) -> PushRejected:
    return PushRejected(f"{ref} moved under each of {ATTEMPTS} attempts", remedy="run the release again")
