"""Documents as an Argo CD 3 server sends them, for the tests of what reads them."""

from __future__ import annotations

from typing import Any

OURS = "a" * 40
LATER = "b" * 40
OLDER = "c" * 40
IMAGE = "registry.example.org/retail-store-ui"


def document(**status: Any) -> dict[str, Any]:
    """The application `retail-store-ui`, healthy at OURS; each keyword replaces one field of its status."""
    return {
        "metadata": {"name": "retail-store-ui", "namespace": "argocd", "resourceVersion": "4711"},
        "spec": {
            "project": "retail-store",
            "source": {
                "repoURL": "https://git.example.org/retail-store.git",
                "path": "src/ui/chart",
                "targetRevision": "main",
                "helm": {"valueFiles": ["values.yaml"]},
            },
            "destination": {"server": "https://kubernetes.default.svc", "namespace": "retail-store"},
            "syncPolicy": {"automated": {"prune": True, "selfHeal": True}, "retry": {"limit": 5}},
        },
        "status": {
            "sync": {"status": "Synced", "revision": OURS, "comparedTo": {"source": {}, "destination": {}}},
            "health": {"status": "Healthy", "lastTransitionTime": "2026-03-01T10:00:20Z"},
            "reconciledAt": "2026-03-01T10:00:21Z",
            "operationState": operation(),
            "history": [{"id": 3, "revision": OURS, "deployedAt": "2026-03-01T10:00:10Z"}],
            "resources": [{"kind": "Deployment", "name": "ui", "status": "Synced"}],
            "sourceType": "Helm",
            "summary": {"images": [f"{IMAGE}:{OURS}"]},
            "controllerNamespace": "argocd",
        }
        | status,
    }


def operation(phase: str = "Succeeded", revision: str = OURS, **more: Any) -> dict[str, Any]:
    """The state of a sync operation at `revision`."""
    state: dict[str, Any] = {
        "operation": {"sync": {"revision": revision}, "initiatedBy": {"automated": True}},
        "phase": phase,
        "message": "successfully synced (all tasks run)",
        "syncResult": {"revision": revision, "source": {}},
        "startedAt": "2026-03-01T10:00:05Z",
    }
    if phase != "Running":
        state["finishedAt"] = "2026-03-01T10:00:10Z"
    return state | more
