"""Plans of the shop, and verdicts put on its record, for the tests of states."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from argosy import notes, plan
from argosy.gitops.commits import Draft, Identity, notes_commit
from argosy.gitops.signing import Signing
from argosy.models import Health, Plan, ServicePlan, Verdict
from argosy.standing import Presence, look
from tests.engine.shop import Shop, image

ABSENT, PRESENT = Presence(content=False, current=True), Presence(content=True, current=True)


def planned(
    shop: Shop,
    *,
    adopt: bool = False,
    source: str | None = None,
    target: str | None = None,
    force: tuple[str, ...] = (),
    at: datetime | None = None,
    **presence: Presence,
) -> Plan:
    """The plan for the environment dev, of the work tree's commit upon itself unless told otherwise."""
    source = source or shop.head
    situation = look(shop.digests(source), source, target or shop.head, at or datetime.now(UTC)).asked(presence)
    return plan.make(shop.environment(commit=source), situation, adopt=adopt, force=force)


def of(shop: Shop, service: str = "ui", **how: Any) -> ServicePlan:
    """What `planned` says of one service."""
    return next(item for item in planned(shop, **how).services if item.name == service)


def verify(shop: Shop, service: str, sha: str, health: Health = Health.HEALTHY) -> None:
    """Record a verdict on the newest commit, as a run does."""
    line = notes.line(Verdict(service, image(service, sha), health, ""), None, "run", datetime.now(UTC))
    parent = shop.git.ref(notes.ref("dev"))
    old = notes.of(shop.git, parent, shop.head)
    new, who = {shop.head: notes.union(old, [line])}, Identity("A", "a@example.com")
    made = notes_commit(shop.git, Draft(parent, new, notes.MESSAGE, who, datetime.now(UTC)), Signing(None))
    shop.run("update-ref", notes.ref("dev"), made)
