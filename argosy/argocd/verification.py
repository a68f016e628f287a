"""Whether Argo CD brought a released reference up healthy: `judge` decides from one look, `watch` looks on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

from argosy.argocd.applications import Application, Operation
from argosy.errors import Terminal, Transient
from argosy.models import Health, ImageReference, Verdict

_REFRESH_EVERY = 15.0  # seconds
_QUICKER_AT_FIRST = 4


class Relation(StrEnum):
    """How a revision of the target stands to the commit that released a reference."""

    BEFORE = "before"
    """It does not contain that commit, or is not known."""
    CARRIES = "carries"
    """It is that commit, or a descendant whose values file still names the reference."""
    SUPERSEDED = "superseded"
    """It is a descendant whose values file names another reference."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What is verified: `reference` in the chart of `service`, brought up by `application` of `project`."""

    service: str
    reference: ImageReference
    application: str
    project: str | None = None


@dataclass(frozen=True, slots=True)
class Expected:
    """What a look at an application is held against.

    `compared` is where the revision that Argo CD compared last stands, `applied` where that of its last operation
    does. `degraded_before` says that the application was Degraded before the reference was applied, and has been
    nothing else since.
    """

    service: str
    reference: ImageReference
    compared: Relation
    applied: Relation = Relation.BEFORE
    degraded_before: bool = False


class Server(Protocol):
    """What a watch needs of an Argo CD client; `argosy.argocd.client.ArgoCD` is one."""

    def application(self, name: str, project: str | None = None, *, refresh: bool = False) -> Application:
        """The application `name`, compared anew with `refresh`."""

    def complaints(self, name: str, project: str | None = None) -> tuple[str, ...]:
        """What is wrong with its resources."""

    def sync(self, name: str, project: str | None = None) -> Application:
        """Order a sync of its target revision."""


def judge(application: Application, expected: Expected) -> Verdict:
    """What the application, as it stands, makes of the expected reference; WAITING wherever time may change it."""
    health, reason = _outcome(application, expected)
    revision = ", ".join(application.revisions) or None
    return Verdict(expected.service, expected.reference, health, reason, revision)


def needs_order(application: Application, expected: Expected) -> bool:
    """Whether a sync of the reference failed and none is under way: Argo CD never tries a revision again by itself."""
    operation = application.operation
    ours = expected.compared is Relation.CARRIES and expected.applied is Relation.CARRIES
    idle = not application.requested and operation is not None and not operation.running
    return ours and idle and operation is not None and operation.phase != "Succeeded"


def _outcome(application: Application, expected: Expected) -> tuple[Health, str]:
    if expected.compared is Relation.SUPERSEDED:
        return Health.SUPERSEDED, f"{_compared(application)}, which carries another reference"
    if expected.compared is Relation.BEFORE:
        return Health.WAITING, f"{_compared(application)}, which does not carry the release yet{_errors(application)}"
    return _operated(application, expected) or _settled(application, expected)


def _operated(application: Application, expected: Expected) -> tuple[Health, str] | None:
    """The outcome as far as operations and the comparison decide it; None once the reference is applied."""
    operation = application.operation
    if application.requested or (operation and operation.running):
        return Health.WAITING, f"an operation is running{_said(operation)}"
    applied = operation is not None and expected.applied is Relation.CARRIES
    if operation and applied and operation.phase != "Succeeded":
        return Health.FAILED, f"the sync ended as {operation.phase}{_said(operation)}"
    if application.sync_status != "Synced":
        return Health.WAITING, f"it is {application.sync_status}{_idle(application)}{_errors(application)}"
    if operation and operation.finished_at and not _looked_since(application, operation):
        return Health.WAITING, "Argo CD has not looked at it since the sync ended"
    if not applied and str(expected.reference) not in {image.partition("@")[0] for image in application.images}:
        # A commit may change nothing for an application that runs the reference already: then no operation comes.
        return Health.WAITING, "no sync has applied the release yet"
    return None


def _settled(application: Application, expected: Expected) -> tuple[Health, str]:
    status, message = application.health_status, application.health_message
    said = f": {message}" if message else ""
    if status == "Healthy":
        return Health.HEALTHY, f"Synced and Healthy at {_short(application.revisions)}"
    if status == "Degraded" and not expected.degraded_before:
        return Health.DEGRADED, f"it became Degraded{said}"
    if status == "Degraded":
        return Health.WAITING, f"it was Degraded before and still is{said}"
    return Health.WAITING, f"it is {status}{said}"


def _compared(application: Application) -> str:
    revisions = _short(application.revisions)
    return f"Argo CD compared {revisions}" if revisions else "Argo CD compared nothing"


def _short(revisions: tuple[str, ...]) -> str:
    return ", ".join(revision[:12] for revision in revisions)


def _errors(application: Application) -> str:
    return "".join(f"; {condition}" for condition in application.conditions)


def _said(operation: Operation | None) -> str:
    return f": {operation.message}" if operation and operation.message else ""


def _idle(application: Application) -> str:
    return "" if application.automated else " and auto-sync is off: somebody has to sync it"


def _looked_since(application: Application, operation: Operation) -> bool:
    looked, finished = application.reconciled_at, operation.finished_at
    return looked is not None and finished is not None and looked >= finished


def relation(revisions: tuple[str, ...], relation_of: Callable[[str], Relation]) -> Relation:
    """How several revisions, one a source, stand together: what any of them decides, the rest do not undo."""
    found = {relation_of(revision) for revision in revisions}
    return next((each for each in (Relation.SUPERSEDED, Relation.CARRIES) if each in found), Relation.BEFORE)


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
            return _operated(application, expected) is not None
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
