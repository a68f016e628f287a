"""The way to a target whose commits GitHub makes and signs itself: its API in place of a push."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TypeVar

from argosy.errors import Terminal
from argosy.git import REGULAR, Git
from argosy.github.client import GitHub
from argosy.gitops.delivery import NOWHERE, Delivered, Offer
from argosy.gitops.mirror import Mirror
from argosy.gitops.proposals import Proposal
from argosy.gitops.transfer_errors import PushRejected

logger = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ApiCommits:
    """Delivers by `createCommitOnBranch`, which is a compare and swap; the author is whom the token belongs to."""

    github: GitHub

    def land(self, offer: Offer[T]) -> tuple[Delivered, T, int]:
        """Let GitHub commit it on the target's head, and read back that it is signed.

        Raises Terminal where a file is none that GitHub can write so, and where the commit, which stands all the same,
        is not signed; PushRefused (Terminal) where the branch is protected, PushRejected (Transient) when every attempt
        lost the race.
        """
        attempt = 0
        for attempt in offer.attempts():
            offer.mirror.update()
            head = offer.mirror.branch(offer.target)
            proposal, outcome = offer.propose(head)
            if proposal is None:
                return NOWHERE, outcome, attempt
            _check(offer.mirror.git, head, proposal)
            try:
                made = self.github.commit(offer.target, head, proposal.message, proposal.files)
            except PushRejected:
                logger.info("the target moved meanwhile; applying the edits again (after attempt %d)", attempt)
                continue
            self._verify(made)
            offer.mirror.update()
            return Delivered(made), outcome, attempt
        raise PushRejected(
            f"{offer.target} moved under each of {attempt} attempts",
            remedy="run it again; if many write there all the time, raise target.push in argosy.yaml",
        )

    def withdraw(self, _: Mirror) -> str | None:
        """Nothing is ever on its way."""
        return None

    def _verify(self, made: str) -> None:
        found = self.github.verification(made)
        if not found.verified:
            raise Terminal(
                f"GitHub made {made[:12]} and does not vouch for it: {found.reason}",
                remedy="see the commit on GitHub; use a token of GitHub's own making, of a GitHub App best of all",
            )


def _check(git: Git, head: str, proposal: Proposal) -> None:
    """What GitHub writes is a regular file, whatever stood there."""
    for path in proposal.files:
        entry = git.entry(head, path)
        if entry is not None and entry.mode != REGULAR:
            raise Terminal(
                f"{path} is executable or a link, and GitHub's API would make a plain file of it",
                remedy=f"take that away: git update-index --chmod=-x {path}; or set another target.mode",
            )
