"""What leaves a stage or a flow by an exception, a log line, a state or an artifact holds no secret."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from prefect import flow, get_run_logger
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId, LogFilter, LogFilterFlowRunId
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from pydantic import SecretStr

from argosy.errors import Terminal, Transient
from argosy.redact import remember
from tasks.artifacts import show_table
from tasks.edge import guarded
from tasks.policy import stage

pytestmark = pytest.mark.usefixtures("prefect")

SECRET = "correct/horse+battery staple"
ENCODED = base64.b64encode(f"argosy:{SECRET}".encode()).decode()
WRITINGS = (SECRET, ENCODED, "correct%2Fhorse%2Bbattery%20staple")


@pytest.fixture(autouse=True)
def _known() -> None:
    remember(SecretStr(SECRET))


class Named:
    """What a stage is given that is of one service."""

    name = "ui"


@stage("leaky", run_name="leaky", service="item")
def leaky(item: Named, kind: str) -> None:
    """Say the secret in every way that a stage has."""
    logging.getLogger("argosy.probe").info("argosy: %s", SECRET)
    logging.getLogger("argosy.probe").info("ui: its own words")
    get_run_logger().warning("prefect: %r", {"token": SECRET})
    show_table("leaky", [{"service": item.name, "detail": f"Basic {ENCODED}"}], f"of {SECRET}")
    cause = ConnectionError(f"https://argosy:{SECRET}@git.example/")
    if kind == "terminal":
        raise Terminal(f"refused: {SECRET}", service="ui", remedy=f"renew {WRITINGS[2]}") from cause
    raise ValueError(SECRET, {"password": WRITINGS[2]}) from cause


@flow
@guarded()
def run(kind: str) -> State[Any]:
    """One run, which fails as its stage does."""
    RUNS.append(str(flow_run.id))
    state = leaky.with_options(retries=0)(Named(), kind, return_state=True)
    STATES.append(state)
    found = state.result(raise_on_failure=False)
    if isinstance(found, Exception):
        raise found
    return state


RUNS: list[str] = []
STATES: list[State[Any]] = []


@pytest.fixture(scope="module", params=["terminal", "value"])
def kept(request: pytest.FixtureRequest, prefect: None) -> Iterator[dict[str, Any]]:
    """Everything that Prefect keeps of a run."""
    remember(SECRET)
    state = run(request.param, return_state=True)
    for handler in logging.getLogger("argosy").handlers:
        handler.flush()
    identity = FlowRunFilter(id=FlowRunFilterId(any_=[RUNS[-1]]))
    with get_client(sync_client=True) as client:
        yield {
            "raised": state.result(raise_on_failure=False),
            "states": [state, STATES[-1]],
            "run": client.read_flow_run(UUID(RUNS[-1])),
            "logs": client.read_logs(LogFilter(flow_run_id=LogFilterFlowRunId(any_=[RUNS[-1]]))),
            "artifacts": client.read_artifacts(flow_run_filter=identity),
        }


def test_no_writing_of_the_secret_is_kept(kept: dict[str, Any]) -> None:
    assert {line.message for line in kept["logs"]} >= {"ui: argosy: ***", "ui: its own words"}
    assert [each.description for each in kept["artifacts"] if each.key == "leaky"] == ["of ***"]
    shown = repr(kept) + str([line.message for line in kept["logs"]]) + json.dumps(str(kept))
    assert not [writing for writing in WRITINGS if writing in shown]


def test_the_exception_keeps_its_class_its_service_and_its_remedy_and_loses_what_it_came_from(
    kept: dict[str, Any],
) -> None:
    raised = kept["raised"]
    assert raised.__cause__ is None
    assert raised.__context__ is None
    if isinstance(raised, Terminal):
        assert (raised.service, raised.remedy, raised.message) == ("ui", "renew ***", "refused: ***")
    else:
        assert (type(raised), raised.args) == (ValueError, ("***", {"password": "***"}))


def test_an_error_that_may_pass_is_still_tried_again() -> None:
    begun = []

    @stage("probe", run_name="probe")
    def probe() -> str:
        begun.append(1)
        if len(begun) < 2:
            raise Transient(f"503 {SECRET}")
        return "done"

    @flow
    def once() -> str:
        return probe.with_options(retry_delay_seconds=0, retry_jitter_factor=0)()

    assert (once(), len(begun)) == ("done", 2)
