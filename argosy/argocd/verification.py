"""Watching Argo CD until a released reference is up and healthy, or is not going to be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from argosy.argocd.applications import Application
from argosy.argocd.judgement import Expected, Relation, judge, needs_order, operated, relation
from argosy.errors import Terminal, Transient
from argosy.models import Health, ImageReference, Verdict

_REFRESH_EVERY = 15.0  # seconds
_QUICKER_AT_FIRST = 4


@dataclass(frozen=True, slots=True)
class Subject:
    """What is verified: `reference` in the chart of `service`, brought up by `application` of `project`."""

    service: str
    reference: ImageReference
    application: str
    project: str | None = None


class Server(Protocol):
    """What a watch needs of an Argo CD client; `argosy.argocd.client.ArgoCD` is one."""

    def application(self, name: str, project: str | None = None, *, refresh: bool = False) -> Application:
        """The application `name`, compared anew with `refresh`."""

    def complaints(self, name: str, project: str | None = None) -> tuple[str, ...]:
        """What is wrong with its resources."""

    def sync(self, name: str, project: str | None = None) -> Application:
        """Order a sync of its target revision."""


@dataclass(slots=True)
class _Looks:
    """What a watch has seen so far; times are those of its clock, `degraded_before` is None until it knows."""

    verdict: Verdict
    degraded_before: bool | None
    refresh_at: float
    healthy_since: float | None = None
    trouble: str = ""
    begun: bool = False

    def take(self, application: Application, expected: Expected, now: float) -> None:
        self.trouble = ""
        self.verdict = judge(application, expected)
        self.degraded_before = application.health_status == "Degraded" and self._still_before(application, expected)
        healthy = self.verdict.health is Health.HEALTHY
        self.healthy_since = (now if self.healthy_since is None else self.healthy_since) if healthy else None

    def _still_before(self, application: Application, expected: Expected) -> bool:
        if expected.compared is Relation.BEFORE:
            return True
        if self.degraded_before is None:
            return operated(application, expected) is not None
        return self.degraded_before

    def over(self, now: float, stable_for: float) -> bool:
        if self.verdict.health is not Health.HEALTHY:
            return self.verdict.final
        return self.healthy_since is not None and not self.trouble and now - self.healthy_since >= stable_for

    def pause(self, now: float, stable_for: float, interval: float) -> float:
        """Seconds until the next look: `interval`, or less where by then health has held for long enough."""
        settled = interval if self.healthy_since is None else self.healthy_since + stable_for - now
        return min(interval, settled) if settled > 0 else interval


def watch(
    server: Server,
    subject: Subject,
    relation_of: Callable[[str], Relation],
    *,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
    timeout: float,
    stable_for: float,
    interval: float = 2.0,
    degraded_before: bool | None = None,
) -> Verdict:
    """The final verdict on `subject`: HEALTHY once that held for `stable_for` seconds, a dip beginning anew.

    A sync of the reference that failed before the watch began is ordered again, once; one that fails after it is final.
    Looks every `interval` seconds, at first more often, with a refresh now and then. `relation_of` places a revision;
    `degraded_before` is what the caller knows from before the release. After `timeout` seconds the verdict is FAILED
    and says what was waited for last. Transient errors of the server or of `relation_of` are no dip: they are borne
    until then, and named. Raises Terminal, with the service's name, for what no waiting mends.
    """
    deadline = clock() + timeout
    unseen = Verdict(subject.service, subject.reference, Health.WAITING, "Argo CD was not heard from")
    looks = _Looks(unseen, degraded_before, refresh_at=clock())
    pause = interval / _QUICKER_AT_FIRST
    while True:
        _look(server, subject, relation_of, looks, clock)
        if looks.over(clock(), stable_for):
            return _explained(server, subject, looks.verdict)
        left = deadline - clock()
        if left <= 0:
            return _explained(server, subject, _timed_out(looks, timeout, stable_for))
        sleep(min(looks.pause(clock(), stable_for, pause), left))
        pause = min(2 * pause, interval)


def _look(
    server: Server,
    subject: Subject,
    relation_of: Callable[[str], Relation],
    looks: _Looks,
    clock: Callable[[], float],
) -> None:
    refresh = clock() >= looks.refresh_at
    try:
        application = server.application(subject.application, subject.project, refresh=refresh)
        compared = relation(application.revisions, relation_of)
        applied = relation(application.operation.revisions if application.operation else (), relation_of)
        expected = Expected(subject.service, subject.reference, compared, applied, bool(looks.degraded_before))
        if not looks.begun and needs_order(application, expected):
            application = server.sync(subject.application, subject.project)
    except Transient as error:
        looks.trouble = error.message
        return
    except Terminal as error:
        raise Terminal(error.message, service=subject.service, remedy=error.remedy) from error
    if refresh:
        looks.refresh_at = clock() + _REFRESH_EVERY
    looks.begun = True
    looks.take(application, expected, clock())


def _timed_out(looks: _Looks, timeout: float, stable_for: float) -> Verdict:
    last = looks.verdict
    waited = f"for {stable_for:g} s of health" if last.health is Health.HEALTHY else f"because {last.reason}"
    trouble = f"; at the end {looks.trouble}" if looks.trouble else ""
    return replace(last, health=Health.FAILED, reason=f"after {timeout:g} s it still waited {waited}{trouble}")


def _explained(server: Server, subject: Subject, verdict: Verdict) -> Verdict:
    """The verdict with the words of the resources that are to blame, where they can be had."""
    if verdict.health not in {Health.DEGRADED, Health.FAILED}:
        return verdict
    try:
        complaints = server.complaints(subject.application, subject.project)
    except (Transient, Terminal):
        return verdict
    new = [complaint for complaint in complaints if complaint.partition(": ")[2] not in verdict.reason]
    return replace(verdict, reason="; ".join([verdict.reason, *new[:5]]))
