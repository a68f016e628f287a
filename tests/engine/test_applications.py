"""Reading an application from Argo CD's JSON."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from argosy.argocd.applications import Malformed, parse
from tests.engine.argocd_documents import IMAGE, LATER, OLDER, OURS, document, operation


def test_a_healthy_application_reads_as_it_stands() -> None:
    application = parse(document())
    assert (application.name, application.project) == ("retail-store-ui", "retail-store")
    assert (application.sync_status, application.revisions) == ("Synced", (OURS,))
    assert application.health_status == "Healthy"
    assert application.images == (f"{IMAGE}:{OURS}",)
    assert application.automated
    assert not application.requested
    assert application.reconciled_at == datetime(2026, 3, 1, 10, 0, 21, tzinfo=UTC)
    assert application.operation is not None
    assert application.operation.revisions == (OURS,)
    assert application.operation.finished_at == datetime(2026, 3, 1, 10, 0, 10, tzinfo=UTC)


def test_an_application_that_was_never_compared_reads_as_unknown() -> None:
    application = parse({"metadata": {"name": "new"}, "spec": {"project": "default"}, "status": {}})
    assert (application.sync_status, application.health_status) == ("Unknown", "Unknown")
    assert (application.revisions, application.operation, application.reconciled_at) == ((), None, None)
    assert not application.automated


def test_several_sources_have_several_revisions() -> None:
    sync = {"status": "Synced", "revisions": [OURS, LATER]}
    applied = operation(syncResult={"revisions": [OURS, OLDER]})
    application = parse(document(sync=sync, operationState=applied))
    assert application.revisions == (OURS, LATER)
    assert application.operation is not None
    assert application.operation.revisions == (OURS, OLDER)


def test_an_operation_that_came_to_nothing_has_the_revision_it_was_told() -> None:
    state = operation("Error", operation={"sync": {"revision": LATER}})
    del state["syncResult"]
    application = parse(document(operationState=state))
    assert application.operation is not None
    assert application.operation.revisions == (LATER,)


def test_an_ordered_operation_is_seen_before_it_begins() -> None:
    ordered = document(operationState=None) | {"operation": {"sync": {}}}
    assert parse(ordered).requested


@pytest.mark.parametrize("policy", [{}, {"automated": None}, {"automated": {"enabled": False}}])
def test_auto_sync_that_is_off_is_seen(policy: dict[str, Any]) -> None:
    written = document()
    written["spec"]["syncPolicy"] = policy
    assert not parse(written).automated


def test_conditions_that_are_errors_are_kept_and_warnings_are_not() -> None:
    conditions = [
        {"type": "ComparisonError", "message": "chart not found"},
        {"type": "OrphanedResourceWarning", "message": "1 orphan"},
    ]
    assert parse(document(conditions=conditions)).conditions == ("ComparisonError: chart not found",)


@pytest.mark.parametrize(
    ("status", "named"),
    [
        ({"health": {"status": "Splendid"}}, "status.health.status"),
        ({"sync": {"status": "Sunk"}}, "status.sync.status"),
        ({"sync": []}, "status.sync"),
        ({"operationState": operation("Dreaming")}, "status.operationState.phase"),
        ({"operationState": {"startedAt": "2026-03-01T10:00:05Z"}}, "status.operationState.phase"),
        ({"reconciledAt": "yesterday"}, "status.reconciledAt"),
        ({"reconciledAt": "2026-03-01T10:00:21"}, "status.reconciledAt"),
        ({"summary": {"images": "one"}}, "status.summary.images"),
        ({"conditions": ["ComparisonError"]}, "status.conditions"),
    ],
)
def test_a_field_that_is_no_such_thing_is_named(status: dict[str, Any], named: str) -> None:
    with pytest.raises(Malformed, match=named):
        parse(document(**status))


@pytest.mark.parametrize("field", ["metadata", "spec"])
def test_a_document_without_name_or_project_is_refused(field: str) -> None:
    written = document()
    del written[field]
    with pytest.raises(Malformed, match=rf"{field}\.\w+ is missing"):
        parse(written)
