"""Whether Argo CD brought a released reference up healthy, as one look at the application shows it. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from argosy.argocd.applications import Application, Operation
from argosy.models import Health, ImageReference, Verdict


class Relation(StrEnum):
    """How a revision of the target stands to the commit that released a reference."""

    BEFORE = "before"
    """It does not contain that commit, or is not known."""
    CARRIES = "carries"
    """It is that commit, or a descendant whose values file still names the reference."""
    SUPERSEDED = "superseded"
    """It is a descendant whose values file names another reference."""


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
    return operated(application, expected) or _settled(application, expected)


def operated(application: Application, expected: Expected) -> tuple[Health, str] | None:
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
