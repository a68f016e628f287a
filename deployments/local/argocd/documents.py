"""An application as the JSON of Argo CD's API."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from deployments.local.argocd.controller import Tracked
from deployments.local.argocd.state import Deployed, Operation, State

_DESTINATION = {"server": "https://kubernetes.default.svc", "namespace": "default"}


def application(tracked: Tracked) -> dict[str, Any]:
    """The whole Application: metadata, spec and status, and the operation where one was ordered or runs."""
    manifest, state = tracked.manifest, tracked.state
    document: dict[str, Any] = {
        "metadata": {
            **manifest.metadata,
            "namespace": "argocd",
            "creationTimestamp": _time(tracked.created),
            "resourceVersion": str(tracked.version),
        },
        "spec": {"destination": _DESTINATION, **manifest.spec, "project": manifest.project},
        "status": _status(tracked),
    }
    if state.busy:
        running = state.operation if state.requested is None else None
        automated = running.automated if running else False
        document["operation"] = _order(None if running is None else running.rendered.revision, automated=automated)
    return document


def _status(tracked: Tracked) -> dict[str, Any]:
    state, spec = tracked.state, tracked.manifest.spec
    source = spec.get("source") or {}
    compared = {"source": source, "destination": spec.get("destination") or _DESTINATION}
    revision = state.compared.revision if state.compared else None
    status: dict[str, Any] = {
        "sync": {"status": state.sync_status, "comparedTo": compared, "revision": revision},
        "health": _health(state),
        "history": [_history(line, source) for line in state.history],
        "reconciledAt": _time(state.reconciled),
        "operationState": _operation(state.operation, source) if state.operation else None,
        "resources": _resources(tracked),
        "sourceType": "Helm",
        "summary": {"images": list(state.applied.images)} if state.applied else {},
        "controllerNamespace": "argocd",
    }
    if state.error:
        status["conditions"] = [{"type": "ComparisonError", "message": f"Failed to load target state: {state.error}"}]
    return _without_nothing(status)


def _health(state: State) -> dict[str, Any]:
    health = {"status": state.health.status, "message": state.health.message or None}
    return _without_nothing(health | {"lastTransitionTime": _time(state.health_since)})


def _history(line: Deployed, source: Any) -> dict[str, Any]:
    return {
        "id": line.id,
        "revision": line.revision,
        "deployStartedAt": _time(line.started),
        "deployedAt": _time(line.finished),
        "source": source,
    }


def _operation(operation: Operation, source: Any) -> dict[str, Any]:
    return _without_nothing(
        {
            "operation": _order(operation.rendered.revision, automated=operation.automated),
            "phase": operation.phase,
            "message": operation.message,
            "syncResult": {"revision": operation.rendered.revision, "source": source, "resources": []},
            "startedAt": _time(operation.started),
            "finishedAt": _time(operation.finished),
        }
    )


def _order(revision: str | None, *, automated: bool) -> dict[str, Any]:
    who = {"automated": True} if automated else {"username": "admin"}
    return {"sync": {"revision": revision} if revision else {}, "initiatedBy": who}


def _resources(tracked: Tracked) -> list[dict[str, Any]]:
    return [{**_deployment(tracked), "status": tracked.state.sync_status}]


def _deployment(tracked: Tracked) -> dict[str, Any]:
    namespace = (tracked.manifest.spec.get("destination") or _DESTINATION).get("namespace")
    about = {"group": "apps", "version": "v1", "kind": "Deployment", "namespace": namespace}
    return about | {"name": tracked.manifest.name}


def resource_tree(tracked: Tracked) -> dict[str, Any]:
    """The application's resources with their healths, where Argo CD 3 keeps the messages."""
    state = tracked.state
    if state.applied is None:
        return {"nodes": []}
    health = _without_nothing({"status": state.health.status, "message": state.health.message or None})
    return {"nodes": [{**_deployment(tracked), "images": list(state.applied.images), "health": health}]}


def _without_nothing(document: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if value is not None}


def _time(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None
