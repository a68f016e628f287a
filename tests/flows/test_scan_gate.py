"""The scan gate in the way of a release: whom it stops, whom it does not, and how the run ends."""

from __future__ import annotations

import json
from typing import Any

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State

from argosy.errors import PolicyRefused, ReleaseFailed
from argosy.flow_runs import REFUSED
from tests.engine.scans import basic, post
from tests.flows.test_release import artifact, released, results
from tests.gated import gate, scanned_image
from tests.hosted import HostedShop

BLOCK = "{block: [CRITICAL]}"


def ended_as(state: State[Any]) -> str | None:
    """The name of the run's state as the server has it, and tells those who follow it."""
    run = state.state_details.flow_run_id
    assert run is not None
    with get_client(sync_client=True) as client:
        return client.read_flow_run(run).state_name


def test_a_service_that_the_gate_blocks_is_not_written_and_the_others_are_released(hosted: HostedShop) -> None:
    source, before = gate(hosted, BLOCK), hosted.values("ui")
    scanned_image(hosted, "ui", basic("CVE-1", "CRITICAL"), basic("CVE-2", "CRITICAL"), basic("CVE-3", "HIGH"))
    scanned_image(hosted, "cart", basic("CVE-4", "LOW"))
    state = released(hosted, adopt=True)
    assert (state.type.value, state.name) == ("FAILED", REFUSED)
    assert ended_as(state) == REFUSED
    with pytest.raises(PolicyRefused, match=r"ui: the scan gate of dev blocks it: 2 CRITICAL \(CVE-1, CVE-2\)"):
        state.result()
    assert "cart" not in (state.message or "")
    assert results(state) == {"ui": "failed", "cart": "reused"}
    assert (hosted.values("ui"), source in hosted.values("cart")) == (before, True)
    rows = json.loads(artifact(state, "scan-dev"))
    assert [(row["service"], row["id"], row["verdict"]) for row in rows] == [
        ("ui", "CVE-1", "blocks"),
        ("ui", "CVE-2", "blocks"),
        ("ui", "CVE-3", "warns"),
        ("cart", "CVE-4", "passes"),
    ]


def test_what_was_blocked_is_released_once_its_finding_is_allowed_and_stays_so(hosted: HostedShop) -> None:
    gate(hosted, BLOCK)
    digest = scanned_image(hosted, "ui", basic("CVE-1", "CRITICAL"))
    scanned_image(hosted, "cart")
    assert released(hosted, adopt=True).name == REFUSED
    hosted.run("pull", "-q", "origin", "main")
    allowing = gate(hosted, "{block: [CRITICAL], allow: [{id: CVE-1, reason: not reachable, until: 9999-12-31}]}")
    assert released(hosted, adopt=True).type.value == "COMPLETED"
    assert allowing in hosted.values("ui")
    # What is deployed is not judged again, whatever is found in it since.
    hosted.run("pull", "-q", "origin", "main")
    gate(hosted, BLOCK)
    post(hosted.cloud.aws, f"{hosted.name}-ui", digest, basic("CVE-9", "CRITICAL"))
    again = released(hosted)
    assert (again.type.value, again.message) == ("COMPLETED", "nothing to do")


def test_where_the_gate_only_warns_everything_is_released(hosted: HostedShop) -> None:
    gate(hosted, "warn")
    scanned_image(hosted, "ui", basic("CVE-1", "CRITICAL"))
    scanned_image(hosted, "cart", status="FAILED")
    state = released(hosted, adopt=True)
    assert (state.type.value, results(state)) == ("COMPLETED", {"ui": "reused", "cart": "reused"})
    rows = json.loads(artifact(state, "scan-dev"))
    assert {(row["service"], row["verdict"]) for row in rows} == {("ui", "warns"), ("cart", "warns")}


def test_a_run_that_failed_for_more_than_the_gate_is_no_refusal(hosted: HostedShop) -> None:
    gate(hosted, BLOCK)
    scanned_image(hosted, "ui", basic("CVE-1", "CRITICAL"))
    state = released(hosted, adopt=True)  # of cart there is no image, and nothing that could build one
    assert (state.type.value, state.name) == ("FAILED", "Failed")
    with pytest.raises(ReleaseFailed, match=r"(?s)ui: the scan gate.*cart: .*docker-host block"):
        state.result()
