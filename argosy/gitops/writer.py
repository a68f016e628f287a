"""Writing back: one signed commit on whatever the target's head is by then, by compare and swap; and the notes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import TypeVar

from argosy import notes, trailers
from argosy.environment import Environment
from argosy.errors import Terminal
from argosy.gitops.commits import Draft, Identity, commit, notes_commit
from argosy.gitops.delivery import Delivered, Delivery, Offer
from argosy.gitops.landing import Landing, Made
from argosy.gitops.mirror import Mirror
from argosy.gitops.patience import DEFAULT_PACE, Pace
from argosy.gitops.proposals import Proposal, Proposals
from argosy.gitops.release_edits import Edits, Upon, edits
from argosy.gitops.render_check import RenderCheck
from argosy.gitops.signing import Signing
from argosy.holds.file import added, missing
from argosy.holds.holds import FILE as HOLDS
from argosy.models import Hold, Release, WriteBack

Clock = Callable[[], datetime]
T = TypeVar("T")
_LONG_SECONDS = 0.05


def _nothing() -> None:
    """What is to be seen before a proposal of which nothing is."""


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes to one environment's target, for one run; without a `delivery` by a push.

    `source` is the mirror of what is released, where that is another repository than the target's, `mirror`;
    `render_check` renders the charts that it edits, which nothing does without.
    """

    mirror: Mirror
    environment: Environment
    identity: Identity
    run: str
    clock: Clock
    pace: Pace = DEFAULT_PACE
    delivery: Delivery | None = None
    source: Mirror | None = None
    render_check: RenderCheck | None = None

    @property
    def released(self) -> Mirror:
        """The mirror of what is released."""
        return self.source or self.mirror

    def source_tip(self) -> str | None:
        """The tip of the source branch, as it was read last."""
        return self.released.git.ref(f"refs/heads/{self.environment.source_branch}")

    def land(
        self, propose: Callable[[str], tuple[Proposal | None, T]], check: Callable[[], None] = _nothing
    ) -> tuple[Delivered, T, int]:
        """Get what `propose` makes of the target's head there, by the delivery or else by a push.

        It is asked anew for the new head when somebody else's push came first, unless what it made stands there too;
        `check` is called for each attempt. Returns where it is, what `propose` returned beside it, and the attempts
        that it took; raises what the way there raises.
        """
        if self.delivery is None:
            return self._push(propose, check)

        def checked(head: str) -> tuple[Proposal | None, T]:
            check()
            return propose(head)

        target, push = self.environment.target_branch, partial(self._push, propose, check)
        attempts = partial(self.pace.attempts, self.environment.push)
        return self.delivery.land(Offer(self.mirror, self.released, target, checked, self._commit, push, attempts))

    def _commit(self, head: str, proposal: Proposal) -> str:
        with Signing(self.identity.signing_key) as signing:
            return self._signed(head, proposal, signing)

    def _signed(self, head: str, proposal: Proposal, signing: Signing) -> str:
        draft = Draft(head, proposal.files, proposal.message, self.identity, self.clock(), proposal.trees)
        return commit(self.mirror.git, draft, signing)

    def _push(
        self, propose: Callable[[str], tuple[Proposal | None, T]], check: Callable[[], None]
    ) -> tuple[Delivered, T, int]:
        """Commit what `propose` makes of the target's head, and push that as `Landing.land` does."""
        git, branch, source = self.mirror.git, self.environment.target_branch, self.environment.source_branch
        beside = (f"refs/heads/{source}",) if self.released is self.mirror else ()
        landing = self._landing(f"refs/heads/{branch}", *beside)
        proposals = Proposals(git, propose)

        def look() -> tuple[str, Proposal | None, T]:
            head = self.mirror.branch(branch)
            check()
            return head, *proposals.upon(head)

        def make(signing: Signing) -> Made[T]:
            began = self.pace.clock()
            head, proposal, outcome = look()
            if proposal is not None and self.pace.clock() - began > _LONG_SECONDS:
                # Whoever pushes often has done so meanwhile: with the work done, the look that counts costs a moment.
                # The commit that nobody sees has the key ready, and the files and most trees written.
                self._signed(head, proposal, signing)
                landing.look_again()
                head, proposal, outcome = look()
            if proposal is None:
                return Made(head, None, outcome)
            return Made(head, self._signed(head, proposal, signing), outcome)

        landed = landing.land(make)
        return Delivered(landed.commit), landed.outcome, landed.attempts

    def _landing(self, ref: str, *beside: str) -> Landing:
        return Landing(self.mirror, ref, self.identity.signing_key, self.environment.push, self.pace, beside)

    def settled(self, delivered: Delivered, found: Edits, attempts: int) -> WriteBack:
        """What was written where `land` returned this.

        Where commits are signed, one that an earlier attempt of this run made must be, too: raises Unverified
        (Terminal) where it is not. GitHub signs what it merges itself.
        """
        if found.ours and delivered.commit is None and not self.environment.may_propose:
            with Signing(self.identity.signing_key) as signing:
                signing.verify(self.mirror.git, found.ours)
        return replace(found.written(delivered), attempts=attempts)

    def write_back(
        self, source_sha: str, releases: Sequence[Release], *, adopt: bool = False, by_hand: Sequence[Hold] = ()
    ) -> WriteBack:
        """Write `releases` in one commit on the target's head, whatever it is by then.

        In the same commit, or one of their own, the holds `by_hand` go into the file of holds that does not have them.
        Raises Terminal when the source commit has left its branch or the push is refused, ConfigurationError when the
        file of holds is wrong, PushRejected (Transient) when every attempt lost the race, and as
        `RenderCheck.demand` does.
        """

        check, services = self.render_check, [release.service for release in releases]
        reads = frozenset({HOLDS, *(service.values_path for service in services)})
        reads |= check.reads(services) if check else frozenset()

        def propose(head: str) -> tuple[Proposal | None, Edits]:
            upon = Upon(self.mirror.git, self.environment, head, self.run, self.clock(), self.source_tip(), check)
            found = edits(upon, source_sha, releases)
            releasing = bool(found.files or (adopt and found.recorded and not found.ours))
            text = self.mirror.git.file(head, HOLDS)
            new = missing(text, by_hand)
            # A hand's hold is in force unwritten: it opens no pull request, and goes with the next release.
            if not releasing and (not new or self.environment.may_propose):
                return None, found
            files = found.files | ({HOLDS: added(text, new)} if new else {})
            message = self._message(source_sha, found, new, releasing=releasing)
            return Proposal(files, message, reads), found

        return self.settled(*self.land(propose, partial(self._check_reachable, source_sha)))

    def _message(self, source_sha: str, found: Edits, new: Sequence[Hold], *, releasing: bool) -> str:
        name, run = self.environment.name, self.run
        if releasing:
            return trailers.message(name, source_sha, found.recorded, run)
        return trailers.hold_message(name, "Hold", new, run)

    def _check_reachable(self, source_sha: str) -> None:
        """Look where the source branch is by now, and raise Terminal where it does not have the commit (any more)."""
        branch = self.environment.source_branch
        if self.released is not self.mirror:  # else it came with the target
            self.released.follow(f"refs/heads/{branch}")
        tip = self.released.branch(branch)
        if not self.mirror.git.is_ancestor(source_sha, tip):
            raise Terminal(
                f"{source_sha[:12]} is not on {branch} (any more)",
                remedy="release a commit that is on the environment's source branch",
            )

    def record(self, lines: Mapping[str, Sequence[str]]) -> str:
        """Add note lines to the commits they belong to, union with what others wrote, and return the notes commit.

        Raises as `Landing.land` does.
        """

        ref, git = notes.ref(self.environment.name), self.mirror.git

        def make(signing: Signing) -> Made[str | None]:
            parent = git.ref(ref)
            old = {sha: notes.of(git, parent, sha) for sha in lines}
            new = {sha: notes.union(old[sha], lines[sha]) for sha in lines}
            if parent and new == old:
                return Made(parent, None, parent)
            draft = Draft(parent, new, notes.MESSAGE, self.identity, self.clock())
            return Made(parent, notes_commit(git, draft, signing), None)

        landed = self._landing(ref).land(make)
        return landed.commit or landed.outcome or ""
