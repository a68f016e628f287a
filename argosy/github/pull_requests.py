"""The way to a protected target: one rolling branch and one pull request, kept at what is to be written."""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

from argosy import trailers
from argosy.environment import Environment
from argosy.errors import Terminal
from argosy.github.client import GitHub, PullRequest
from argosy.github.pull_request_text import WITHDRAWN, commit_message, described, withdrawn
from argosy.github.rolling_branch import Kind, Rolling, branch
from argosy.gitops.delivery import NOWHERE, Delivered, Offer
from argosy.gitops.mirror import Mirror
from argosy.gitops.proposals import Proposal
from argosy.gitops.transfer_errors import PushRejected

logger = logging.getLogger(__name__)

T = TypeVar("T")
_OBSOLETE = "Nothing is left to write that this pull request says, so Argosy closes it."
_KEPT = " Its branch has commits of somebody else's, and stays."


@dataclass(frozen=True, slots=True)
class PullRequests:
    """Delivers what is written of one `kind` to the environment's target by a pull request.

    `email` is whose commits on the rolling branch are Argosy's own. `scope` names the services that the run is about:
    what is on its way for others is not dropped. A release takes the place of the one before it; a rollback and holds
    do not, since each is asked for by somebody.
    """

    github: GitHub
    environment: Environment
    kind: Kind
    email: str
    scope: frozenset[str]

    @property
    def branch(self) -> str:
        """The rolling branch."""
        return branch(self.environment.name, self.kind)

    def land(self, offer: Offer[T]) -> tuple[Delivered, T, int]:
        """Put it on the rolling branch, upon the target's present head, and see that its pull request says so.

        What says the same already is left as it is. Raises Terminal where the branch has commits of somebody else's
        that would be lost, or a pull request that this one may not take the place of, PushRejected (Transient) where
        the branch kept moving, and what `GitHub` raises.
        """
        attempt = 0
        for attempt in offer.attempts():
            offer.mirror.update()
            head = offer.mirror.branch(offer.target)
            proposal, outcome = offer.propose(head)
            if proposal is None:
                self._check_none_open()
                return NOWHERE, outcome, attempt
            with suppress(PushRejected):
                return self._deliver(offer, head, proposal), outcome, attempt
            logger.info("%s moved meanwhile; made anew (after attempt %d)", self.branch, attempt)
        raise PushRejected(
            f"{self.branch} moved under each of {attempt} attempts",
            remedy="run it again; if many write there all the time, raise target.push in argosy.yaml",
        )

    def withdraw(self, mirror: Mirror) -> str | None:
        """Close the open pull request with a comment, and delete its branch unless somebody else committed to it.

        One that is about services outside of the scope stays open. Returns the address of what was closed.
        """
        pull = self._open()
        if pull is None:
            return None
        mirror.update()
        rolling = self._rolling(mirror, mirror.branch(self.environment.target_branch))
        if rolling is None or not rolling.services() <= self.scope:
            return None
        self.github.end(pull, _OBSOLETE + (_KEPT if rolling.foreign else ""), withdrawn(pull.body))
        if not rolling.foreign:
            with suppress(PushRejected):  # somebody has just pushed to it
                mirror.push("", f"refs/heads/{self.branch}", rolling.tip)
        return pull.url

    def _rolling(self, mirror: Mirror, head: str) -> Rolling | None:
        tip = mirror.git.ref(f"refs/heads/{self.branch}")
        return Rolling.read(mirror.git, head, tip, self.environment.name, self.email) if tip else None

    def _deliver(self, offer: Offer[T], head: str, proposal: Proposal) -> Delivered:
        target = self.environment.target_branch
        pull, rolling = self._open(), self._rolling(offer.mirror, head)
        source_tip = offer.source.branch(self.environment.source_branch)
        same = rolling is not None and rolling.says(proposal, source_tip)
        last = None if pull else self.github.pulls(self.branch, target, "closed")
        if last and same and not last.merged and WITHDRAWN not in last.body:
            why = f"pull request {last.url} says the same and was closed unmerged; reopen it, or release newer content"
            return Delivered(declined=why)
        if not same:
            self._check(rolling, pull, last, proposal)
            made = offer.commit(head, Proposal(proposal.files, commit_message(proposal.message)))
            offer.mirror.push(made, f"refs/heads/{self.branch}", rolling.tip if rolling else None)
        return Delivered(pull_request=self._shown(pull, proposal, same=same).url)

    def _shown(self, pull: PullRequest | None, proposal: Proposal, *, same: bool) -> PullRequest:
        """The pull request, which says what is on the branch now, and merges itself where that is configured."""
        text = described(proposal.message)
        if pull is None:
            pull = self.github.create(self.branch, self.environment.target_branch, text.title, text.body)
        elif not same:
            pull = self.github.update(pull, text.title, text.body)
        if self.environment.auto_merge and not pull.merges_itself:
            self.github.merge_itself(pull, self.environment.auto_merge)
        return pull

    def _check_none_open(self) -> None:
        """Raises Terminal where what somebody else asked for is on its way still, so that "nothing to do" misleads."""
        pull = None if self.kind == "release" else self._open()
        if pull:
            raise self._in_the_way(pull)

    def _open(self) -> PullRequest | None:
        return self.github.pulls(self.branch, self.environment.target_branch, "open")

    def _in_the_way(self, pull: PullRequest) -> Terminal:
        return Terminal(
            f"pull request {pull.url} for a change of this kind ({self.kind}) is open",
            remedy="merge it or close it, and run again",
        )

    def _check(
        self, rolling: Rolling | None, pull: PullRequest | None, last: PullRequest | None, proposal: Proposal
    ) -> None:
        """Raises Terminal where to rewrite the branch would lose what somebody else wants."""
        if rolling is None or (last is not None and last.merged and last.head_sha == rolling.tip):
            return
        if rolling.foreign:
            shas = ", ".join(sha[:12] for sha in rolling.foreign)
            raise Terminal(
                f"{self.branch} has commits that are not Argosy's ({shas}), and there is something newer to write",
                remedy=f"merge {pull.url if pull else 'them elsewhere'}, or delete the branch, and run again",
            )
        others = rolling.services() - self.scope
        if pull and self.kind != "release" and trailers.run_of(rolling.message) != trailers.run_of(proposal.message):
            raise self._in_the_way(pull)
        if pull and others:
            raise Terminal(
                f"pull request {pull.url} releases {', '.join(sorted(others))} too, which this run is not about",
                remedy="merge it first, or release all services at once",
            )
