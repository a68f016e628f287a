"""How a proposal gets to the target where it is not just pushed there: the seam, and the way that tries both."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from argosy.gitops.mirror import Mirror
from argosy.gitops.proposals import Proposal
from argosy.gitops.transfer_errors import PushRefused

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Delivered:
    """Where a proposal is: in the target's `commit`, or in the `pull_request` at that address, else nowhere.

    `declined` says why it is nowhere though there is one: somebody closed the pull request that said the same.
    """

    commit: str | None = None
    pull_request: str | None = None
    declined: str | None = None


NOWHERE = Delivered()


@dataclass(frozen=True, slots=True)
class Offer(Generic[T]):
    """What is to get to the branch `target` of the remote that `mirror` is of; `source` is of what is released.

    `propose` says what, upon one head of it; `commit` makes a commit of that, which no ref points at; `push` is the
    ordinary way there, and what it took. `attempts` numbers the attempts that patience allows, from 1, and waits before
    each but the first.
    """

    mirror: Mirror
    source: Mirror
    target: str
    propose: Callable[[str], tuple[Proposal | None, T]]
    commit: Callable[[str, Proposal], str]
    push: Callable[[], tuple[Delivered, T, int]]
    attempts: Callable[[], Iterator[int]]


class Delivery(Protocol):
    """A way to the target."""

    def land(self, offer: Offer[T]) -> tuple[Delivered, T, int]:
        """Deliver it; returns where it is, what was proposed beside it, and the attempts that it took."""
        ...

    def withdraw(self, mirror: Mirror) -> str | None:
        """Take back what is still on its way, as nothing is to be written any more; the address of what was."""
        ...


@dataclass(frozen=True, slots=True)
class PushedUnlessProtected:
    """Pushes, and goes the other way where the server's rules refuse that."""

    otherwise: Delivery

    def land(self, offer: Offer[T]) -> tuple[Delivered, T, int]:
        """Deliver it as `Delivery.land` says; raises what the way that it went raises."""
        try:
            return offer.push()
        except PushRefused:
            return self.otherwise.land(offer)

    def withdraw(self, mirror: Mirror) -> str | None:
        """Take back what went the other way."""
        return self.otherwise.withdraw(mirror)
