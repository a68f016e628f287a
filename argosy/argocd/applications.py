"""An Argo CD application as its API describes it, reduced to what a verification needs, and read strictly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

SYNC_STATUSES = frozenset({"Synced", "OutOfSync", "Unknown"})
HEALTH_STATUSES = frozenset({"Healthy", "Progressing", "Degraded", "Suspended", "Missing", "Unknown"})
PHASES = frozenset({"Running", "Terminating", "Failed", "Error", "Succeeded"})


class Malformed(ValueError):
    """A document is not that of an application; the message names the field."""


@dataclass(frozen=True, slots=True)
class Operation:
    """The last operation; `revisions` are what it applied, or was told to apply where it came to nothing."""

    phase: str
    message: str
    revisions: tuple[str, ...]
    finished_at: datetime | None

    @property
    def running(self) -> bool:
        """Whether it has not come to its end; Argo CD's own retries count as running."""
        return self.phase in {"Running", "Terminating"}


@dataclass(frozen=True, slots=True)
class Application:
    """An application at one moment; times carry a zone.

    `revisions` are those last compared, one a source; `requested` says that an operation was ordered and has not
    begun; `conditions` are the errors that Argo CD reports about it.
    """

    name: str
    project: str
    sync_status: str
    revisions: tuple[str, ...]
    health_status: str
    health_message: str
    operation: Operation | None
    requested: bool
    reconciled_at: datetime | None
    images: tuple[str, ...]
    automated: bool
    conditions: tuple[str, ...] = ()


def parse(document: Mapping[str, Any]) -> Application:
    """The application that the API's JSON object describes. Raises Malformed.

    The published schema requires nothing; what Argo CD leaves out while it has not compared yet reads as Unknown.
    """
    metadata, spec = _object(document, "metadata"), _object(document, "spec")
    status = _object(document, "status")
    sync, health = _object(status, "sync", "status."), _object(status, "health", "status.")
    return Application(
        name=_text(metadata, "name", "metadata."),
        project=_text(spec, "project", "spec."),
        sync_status=_one_of(sync, "status", SYNC_STATUSES, "status.sync."),
        revisions=_revisions(sync, "status.sync."),
        health_status=_one_of(health, "status", HEALTH_STATUSES, "status.health."),
        health_message=_optional(health, "message", "status.health."),
        operation=_operation(status),
        requested=document.get("operation") is not None,
        reconciled_at=_time(status, "reconciledAt", "status."),
        images=_strings(_object(status, "summary", "status."), "images", "status.summary."),
        automated=_automated(spec),
        conditions=_conditions(status),
    )


def _operation(status: Mapping[str, Any]) -> Operation | None:
    state = _object(status, "operationState", "status.")
    if not state:
        return None
    at = "status.operationState."
    ordered = _object(_object(state, "operation", at), "sync", f"{at}operation.")
    applied = _revisions(_object(state, "syncResult", at), f"{at}syncResult.")
    return Operation(
        phase=_one_of(state, "phase", PHASES, at, default=None),
        message=_optional(state, "message", at),
        revisions=applied or _revisions(ordered, f"{at}operation.sync."),
        finished_at=_time(state, "finishedAt", at),
    )


def _automated(spec: Mapping[str, Any]) -> bool:
    automated = _object(spec, "syncPolicy", "spec.").get("automated")
    return isinstance(automated, Mapping) and automated.get("enabled") is not False


def _conditions(status: Mapping[str, Any]) -> tuple[str, ...]:
    rows = status.get("conditions") or []
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise Malformed("status.conditions is no list of objects")
    at = "status.conditions."
    pairs = [(_text(row, "type", at), _optional(row, "message", at)) for row in rows]
    return tuple(f"{kind}: {message}" for kind, message in pairs if kind.endswith("Error"))


def _revisions(holder: Mapping[str, Any], at: str) -> tuple[str, ...]:
    several = _strings(holder, "revisions", at)
    single = _optional(holder, "revision", at)
    return several or ((single,) if single else ())


def _object(holder: Mapping[str, Any], key: str, at: str = "") -> Mapping[str, Any]:
    value = holder.get(key)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise Malformed(f"{at}{key} is no object")
    return value


def _text(holder: Mapping[str, Any], key: str, at: str) -> str:
    value = _optional(holder, key, at)
    if not value:
        raise Malformed(f"{at}{key} is missing")
    return value


def _optional(holder: Mapping[str, Any], key: str, at: str) -> str:
    value = holder.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Malformed(f"{at}{key} is no text")
    return value


def _one_of(
    holder: Mapping[str, Any], key: str, known: frozenset[str], at: str, default: str | None = "Unknown"
) -> str:
    value = _optional(holder, key, at) or default
    if value not in known:
        raise Malformed(f"{at}{key} is {value!r}, none of {', '.join(sorted(known))}")
    return value


def _strings(holder: Mapping[str, Any], key: str, at: str) -> tuple[str, ...]:
    value = holder.get(key) or []
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise Malformed(f"{at}{key} is no list of texts")
    return tuple(value)


def _time(holder: Mapping[str, Any], key: str, at: str) -> datetime | None:
    text = _optional(holder, key, at)
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise Malformed(f"{at}{key} is no time: {text!r}") from error
    if moment.tzinfo is None:
        raise Malformed(f"{at}{key} has no zone: {text!r}")
    return moment
