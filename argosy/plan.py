"""Desired against released: what a release would do with each service, and why. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from argosy.environment import Environment
from argosy.models import ContentDigest, Plan, Service, ServicePlan, State
from argosy.state import Released


@dataclass(frozen=True, slots=True)
class Presence:
    """What the registry has of a service: the image of the desired content, and the one its chart names."""

    content: bool
    current: bool


@dataclass(frozen=True, slots=True)
class Situation:
    """Both sides of one environment, as a plan compares them.

    `presence` is empty where the registry was not asked; `ahead` names the services released from newer commits.
    """

    source_sha: str
    target_sha: str
    desired: Mapping[str, ContentDigest]
    released: Mapping[str, Released]
    presence: Mapping[str, Presence]
    ahead: frozenset[str] = frozenset()


def make(environment: Environment, situation: Situation, *, adopt: bool, services: tuple[str, ...] = ()) -> Plan:
    """The plan for `environment`; `services` narrows it to those, `adopt` takes over what nothing explains."""
    chosen = [environment.service(name) for name in services] or environment.services
    decide = _Decision(environment, situation, adopt)
    return Plan(
        environment=environment.name,
        source_sha=situation.source_sha,
        target_sha=situation.target_sha,
        services=tuple(decide.service(service) for service in chosen),
        adopt=adopt,
        watched=environment.watch is not None,
        retry=environment.retry,
    )


@dataclass(frozen=True, slots=True)
class _Decision:
    environment: Environment
    situation: Situation
    adopt: bool

    def service(self, service: Service) -> ServicePlan:
        released = self.situation.released[service.name]
        state, reason = self._state(service, released)
        new = self.environment.image(service, self.situation.source_sha)
        return ServicePlan(
            service=service,
            state=state,
            reason=reason,
            content=self.situation.desired[service.name],
            wanted=new if state in {State.BUILD, State.REUSE, State.UNKNOWN} else released.reference,
            current=released.reference,
            release_commit=released.record.commit if released.record else None,
            manifest_digest=released.record.manifest_digest if released.record else None,
        )

    def _state(self, service: Service, released: Released) -> tuple[State, str]:
        if not released.known and not self.adopt:
            return State.UNKNOWN, _unexplained(released)
        if service.name in self.situation.ahead:
            return State.UNCHANGED, f"released from {_short(released)}, which is newer than this commit"
        difference = self._difference(service, released)
        if difference is None:
            return self._right(released)
        presence = self.situation.presence.get(service.name)
        if presence and presence.content:
            return State.REUSE, f"{difference}; the registry has an image of this content"
        return State.BUILD, difference

    def _difference(self, service: Service, released: Released) -> str | None:
        """Why the current reference is not the wanted one; None where it is."""
        presence = self.situation.presence.get(service.name)
        if released.source_sha is None:
            return f"{released.reference} is taken over" if self.adopt else "never released before"
        if released.content != self.situation.desired[service.name]:
            return f"its content differs from {_short(released)}, which is released"
        if released.reference.repository != self.environment.repository(service):
            return f"its chart names the repository {released.reference.repository}"
        if presence and not presence.current:
            return f"the registry no longer has {released.reference}"
        return None

    def _right(self, released: Released) -> tuple[State, str]:
        if self.environment.watch and not released.verified:
            return State.UNVERIFIED, f"{_short(released)} is released, but was never seen healthy"
        return State.UNCHANGED, f"{_short(released)} is released and has this content"


def _unexplained(released: Released) -> str:
    return f"nothing explains {released.reference}; a release with --adopt takes it over"


def _short(released: Released) -> str:
    return (released.source_sha or "")[:12]
