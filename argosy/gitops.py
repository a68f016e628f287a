"""Writing back: one signed commit on whatever the target's head is by then, by compare and swap; and the notes."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import TypeVar

from argosy import notes, trailers
from argosy.commits import Draft, Identity, commit, notes_commit
from argosy.delivery import NOWHERE, Delivered, Delivery, Offer
from argosy.environment import Environment
from argosy.errors import Terminal
from argosy.holds import FILE as HOLDS
from argosy.holds_file import added, missing
from argosy.mirror import Mirror, PushRejected
from argosy.models import Hold, Release, WriteBack
from argosy.proposals import Proposal
from argosy.release_edits import Edits, Upon, edits

logger = logging.getLogger(__name__)

ATTEMPTS = 8
Clock = Callable[[], datetime]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes to one environment's target, for one run; without a `delivery` by a push."""

    mirror: Mirror
    environment: Environment
    identity: Identity
    run: str
    clock: Clock
    delivery: Delivery | None = None

    def land(self, propose: Callable[[str], tuple[Proposal | None, T]]) -> tuple[Delivered, T, int]:
        """Get what `propose` makes of the target's head there, by the delivery or else by a push.

        Returns where it is, what `propose` returned beside it, and the attempts that it took; raises what the way
        there raises.
        """
        if self.delivery is None:
            return self._push(propose)
        target, push = self.environment.target_branch, partial(self._push, propose)
        return self.delivery.land(Offer(self.mirror, target, propose, self._commit, push))

    def _commit(self, head: str, proposal: Proposal) -> str:
        draft = Draft(head, proposal.files, proposal.message, self.identity, self.clock())
        return commit(self.mirror.git, draft)

    def _push(self, propose: Callable[[str], tuple[Proposal | None, T]]) -> tuple[Delivered, T, int]:
        """Commit what `propose` makes of the target's head, and push that by compare and swap.

        When somebody else's push comes first it is asked anew for the new head, at most `ATTEMPTS` times.
        Raises Terminal when the push is refused, PushRejected (Transient) when every attempt lost the race.
        """
        branch = self.environment.target_branch
        for attempt in range(1, ATTEMPTS + 1):
            self.mirror.update()
            head = self.mirror.branch(branch)
            proposal, outcome = propose(head)
            if proposal is None:
                return NOWHERE, outcome, attempt
            made = self._commit(head, proposal)
            try:
                self.mirror.push(made, f"refs/heads/{branch}", head)
            except PushRejected:
                logger.info("the target moved meanwhile; applying the edits again (attempt %d)", attempt + 1)
                continue
            return Delivered(made), outcome, attempt
        raise PushRejected(f"{branch} moved under each of {ATTEMPTS} attempts", remedy="run the release again")

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
            # A hand's hold is in force unwritten: it opens no pull request, and goes with the next release.
            if not releasing and (not new or self.environment.may_propose):
                return None, found
            files = found.files | ({HOLDS: added(text, new)} if new else {})
            return Proposal(files, self._message(source_sha, found, new, releasing=releasing)), found

        delivered, found, attempts = self.land(propose)
        return replace(found.written(delivered), attempts=attempts)

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
        for _attempt in range(ATTEMPTS):
            self.mirror.update()
            git = self.mirror.git
            parent = git.ref(ref)
            old = {sha: notes.of(git, parent, sha) for sha in lines}
            new = {sha: notes.union(old[sha], lines[sha]) for sha in lines}
            if parent and new == old:
                return parent
            made = notes_commit(git, parent, new, self.identity, self.clock())
            try:
                self.mirror.push(made, ref, parent)
            except PushRejected:
                continue
            return made
        raise PushRejected(f"{ref} moved under each of {ATTEMPTS} attempts", remedy="run the release again")
