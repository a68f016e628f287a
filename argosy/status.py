"""What an environment runs now, service by service: from git, and from Argo CD where that is asked. Pure but for it."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from argosy.environment import Environment
from argosy.errors import ArgosyError, Transient
from argosy.models import Hold
from argosy.standing import Situation

if TYPE_CHECKING:  # git alone is asked mostly, and a web client takes its time to load
    from argosy.argocd.client import ArgoCD

_CONCURRENT = 8


@dataclass(frozen=True, slots=True)
class Seen:
    """What Argo CD says of a service's application; `trouble` is why it says nothing, and whether that may pass."""

    sync: str | None = None
    health: str | None = None
    revision: str | None = None
    trouble: str = ""
    down: bool = False


@dataclass(frozen=True, slots=True)
class Status:
    """One service: `source` is the commit behind its `reference`, `content` its content digest (64 hex).

    `verified` is None where nothing is watched; `hold` is what keeps it from being released.
    """

    service: str
    reference: str
    source: str | None = None
    content: str | None = None
    manifest: str | None = None
    verified: bool | None = None
    hold: Hold | None = None
    seen: Seen = field(default_factory=Seen)


def statuses(environment: Environment, situation: Situation, seen: Mapping[str, Seen]) -> tuple[Status, ...]:
    """Every service that can be read, those that are held first, each group in the order of `argosy.yaml`."""
    found = [
        Status(
            service=service.name,
            reference=str(released.reference) if released.reference.tag else released.reference.repository,
            source=released.source_sha,
            content=released.record.content.hex if released.record else None,
            manifest=released.record.manifest_digest if released.record else None,
            verified=released.verified if environment.watch else None,
            hold=situation.held.get(service.name),
            seen=seen.get(service.name, Seen()),
        )
        for service in environment.services
        if (released := situation.released.get(service.name))
    ]
    return tuple(sorted(found, key=lambda each: each.hold is None))


def ask(server: ArgoCD, environment: Environment) -> dict[str, Seen]:
    """What Argo CD says of every service that it has an application for, asked concurrently; it raises nothing."""
    project = environment.watch.project if environment.watch else None

    def one(application: str) -> Seen:
        try:
            found = server.application(application, project)
        except ArgosyError as error:
            return Seen(trouble=error.message, down=isinstance(error, Transient))
        revision = found.revisions[0] if found.revisions else None
        return Seen(found.sync_status, found.health_status, revision)

    named = {service.name: service.application for service in environment.services if service.application}
    with ThreadPoolExecutor(_CONCURRENT) as pool:
        return dict(zip(named, pool.map(one, named.values()), strict=True))
