"""Desired against released: what a release would do with each service, and why. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from argosy.environment import Environment
from argosy.holds.holds import words
from argosy.models import Hold, ImageReference, Plan, Service, ServicePlan, State
from argosy.standing import Presence, Situation
from argosy.state import Released

__all__ = ["Presence", "Situation", "based_on", "blocked", "make", "waves"]


def make(
    environment: Environment,
    situation: Situation,
    *,
    adopt: bool,
    services: tuple[str, ...] = (),
    force: Collection[str] = (),
) -> Plan:
    """The plan for `environment`.

    `services` narrows it to those, `adopt` takes over what nothing explains, `force` names services to build whatever
    the registry has. Raises ConfigurationError for a name that is no service.
    """
    chosen = [environment.service(name) for name in services] or environment.services
    forced = {environment.service(name).name for name in force}
    decide = _Decision(environment, situation, adopt, frozenset(forced))
    return Plan(
        environment=environment.name,
        source_sha=situation.source_sha,
        target_sha=situation.target_sha,
        services=tuple(decide.service(service) for service in chosen if service.name not in situation.failures),
        adopt=adopt,
        failures=tuple((s.name, str(situation.failures[s.name])) for s in chosen if s.name in situation.failures),
        watched=environment.watch is not None,
        retry=environment.retry,
        automatic_rollback=environment.automatic_rollback,
        scanned=environment.scan is not None,
        tells_registry=environment.ecr.registry is not None,
        cuts_cache=environment.builder.cache_size is not None,
        proposes=environment.may_propose,
    )


@dataclass(frozen=True, slots=True)
class _Decision:
    environment: Environment
    situation: Situation
    adopt: bool
    forced: frozenset[str]

    def service(self, service: Service) -> ServicePlan:
        released = self.situation.released[service.name]
        compared = self.situation.compared.get(service.name)
        state, reason = self._state(service)
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
            inputs=compared.inputs if compared else (),
            hold=self.situation.held.get(service.name) if state is State.HELD else None,
            forced=state is State.BUILD and service.name in self.forced,
            base_images=self.situation.base_images.get(service.name, ()),
        )

    def _state(self, service: Service) -> tuple[State, str]:
        released, hold = self.situation.released[service.name], self.situation.held.get(service.name)
        if unexplained := self._unexplained(service, released):
            return State.UNKNOWN, unexplained
        if hold is not None:
            return State.HELD, _held(hold)
        if blocked := self._blocked(service):
            return State.BLOCKED, blocked
        if service.name in self.situation.ahead:
            return State.UNCHANGED, f"released from {_short(released)}, which is newer than this commit"
        return self._compared(service, released)

    def _compared(self, service: Service, released: Released) -> tuple[State, str]:
        if service.name in self.forced:
            return State.BUILD, "a rebuild was asked for"
        difference = self._difference(service, released)
        if difference is None:
            return self._right(released)
        presence = self.situation.presence.get(service.name)
        if presence and presence.content:
            return State.REUSE, f"{difference}; the registry has an image of this content"
        return State.BUILD, difference

    def _unexplained(self, service: Service, released: Released) -> str | None:
        if self.adopt:
            return None
        if service.name in self.situation.hidden:
            return f"this clone is shallow, and hides who set {_shown(released.reference)}; fetch the whole history"
        if not released.known:
            return f"nothing explains {_shown(released.reference)}; a release with --adopt takes it over"
        return None

    def _blocked(self, service: Service) -> str | None:
        """Why what the service is built from cannot be relied on; None where it can."""
        for base in service.dependencies:
            if base.name in self.situation.failures:
                return f"it is built from {base.name}, which cannot be planned"
            state, _ = self._state(base)
            if state in {State.UNKNOWN, State.HELD, State.BLOCKED}:
                return f"it is built from {base.name}, which is {state}"
        return None

    def _difference(self, service: Service, released: Released) -> str | None:
        """Why the current reference is not the wanted one; None where it is."""
        presence, compared = self.situation.presence.get(service.name), self.situation.compared.get(service.name)
        if released.source_sha is None:
            return f"{_shown(released.reference)} is taken over" if self.adopt else _unreleased(released)
        if compared is None or not compared.same:
            return f"its content differs from {_short(released)}, which is released"
        if released.reference.repository != self.environment.repository(service) and not self._stays(service, released):
            return f"its chart names the repository {released.reference.repository}"
        if presence and not presence.current:
            return f"the registry no longer has {released.reference}"
        return None

    def _stays(self, service: Service, released: Released) -> bool:
        """Whether its image is where it is to be while the service's own registry does not answer."""
        presence = self.situation.presence.get(service.name)
        return bool(presence and presence.away) and self.environment.in_stand_in(service, released.reference)

    def _right(self, released: Released) -> tuple[State, str]:
        if self.environment.watch and not released.verified:
            return State.UNVERIFIED, f"{_short(released)} is released, but was never seen healthy"
        return State.UNCHANGED, f"{_short(released)} is released and has this content"


def waves(plan: Plan) -> tuple[tuple[ServicePlan, ...], ...]:
    """What a release builds, in an order in which it can, and in groups: none is built from another of its own."""
    left = {item.name: item for item in plan.to_write}
    found: list[tuple[ServicePlan, ...]] = []
    while left:
        ready = tuple(item for item in left.values() if left.keys().isdisjoint(_bases(item.service)))
        found.append(ready)
        left = {name: item for name, item in left.items() if item not in ready}
    return tuple(found)


def based_on(item: ServicePlan) -> tuple[str, ...]:
    """The names of the services that the one of `item` is built from, directly or not; the nearest come first."""
    return tuple(dict.fromkeys(_bases(item.service)))


def blocked(items: Iterable[ServicePlan], failed: Collection[str]) -> dict[str, str]:
    """The services of `items` that are built from one that failed, and the sentence that says so."""
    stopped = ((item.name, next((base for base in based_on(item) if base in failed), None)) for item in items)
    return {name: f"{name}: blocked: it is built from {base}, which failed" for name, base in stopped if base}


def _bases(service: Service) -> Iterator[str]:
    for each in service.dependencies:
        yield each.name
        yield from _bases(each)


def _unreleased(released: Released) -> str:
    by_hand = f"{_shown(released.reference)} was set by hand for other content"
    return by_hand if released.before else "never released before"


def _shown(reference: ImageReference) -> str:
    return str(reference) if reference.tag else f"{reference.repository} without a tag"


def _held(hold: Hold) -> str:
    """The hold, and what lifts it."""
    lift = f"argosy hold {hold.service} --lift"
    lifts = f"newer content, the wanted reference put there, or {lift}," if hold.by_hand else lift
    return f"{words(hold)}; {lifts} lifts that"


def _short(released: Released) -> str:
    return (released.source_sha or "")[:12]
