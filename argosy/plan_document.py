"""A plan as programs read it: one JSON document in a stable order. docs/plan.md describes each field."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from argosy import trailers
from argosy.edits import references
from argosy.models import Hold, Plan, ServicePlan


def document(plan: Plan, *, on_source: bool) -> dict[str, Any]:
    """The plan as plain data; `on_source` says whether its source branch contains the commit that it is of."""
    return {
        "environment": plan.environment,
        "source": plan.source_sha,
        "target": plan.target_sha,
        "on_source": on_source,
        "adopt": plan.adopt,
        "hash": plan.hash,
        "nothing_to_do": plan.nothing_to_do,
        "services": {item.name: _service(plan, item) for item in plan.services},
        "failures": dict(plan.failures),
        "message": trailers.words(plan.environment, plan.to_write),
    }


def _service(plan: Plan, item: ServicePlan) -> dict[str, Any]:
    return {
        "state": item.state.value,
        "reason": item.reason,
        "content": item.content.hex,
        "recipe": item.content.recipe,
        "current": str(item.current) if item.current else None,
        "wanted": str(item.wanted),
        "inputs": list(item.inputs),
        "hold": _hold(item.hold) if item.hold else None,
        "tags": tags(plan, item),
        "writes": writes(item),
    }


def tags(plan: Plan, item: ServicePlan) -> list[str]:
    """The tags that a release gives the service's image."""
    moving = ["latest", f"deployed-{plan.environment}"]
    return [item.content.tag, item.wanted.tag, *moving] if item.writes else []


def writes(item: ServicePlan) -> list[dict[str, str]]:
    """What a release writes into the service's values file."""
    if not item.writes:
        return []
    keys = item.service.keys
    before, after = references.shown(keys, item.current), references.shown(keys, item.wanted)
    return [
        {"file": item.service.values_path, "path": path, "old": before[path], "new": after[path]}
        for path in after
        if before[path] != after[path]
    ]


def _hold(hold: Hold) -> dict[str, Any]:
    return {key: value.isoformat() if isinstance(value, datetime) else value for key, value in asdict(hold).items()}
