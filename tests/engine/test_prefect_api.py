"""Prefect's API as the command line speaks it, where the server is in trouble for a moment, or for long."""

import json

import pytest

from argosy import prefect_api
from argosy.errors import Terminal, Transient
from argosy.prefect_api import PrefectApi
from tests.engine.web import Answer, Request, served

BUSY = Answer(503, body=b'{"exception_message":"Service Unavailable"}')
RUN = Answer(201, body=b'{"id":"the-run"}')


def ask(answers: list[Answer]) -> tuple[object, list[Request]]:
    """Ask for a run with the key `once` of a server that gives these answers; what came, and what was asked."""
    asked: list[Request] = []

    def answer(request: Request) -> Answer:
        asked.append(request)
        return answers.pop(0)

    with served(answer) as host, PrefectApi(f"http://{host}/api") as api:
        return api.create_flow_run("the-deployment", {"force": True}, "once"), asked


@pytest.mark.parametrize("trouble", [BUSY, Answer(None)])
def test_a_run_is_asked_for_again_with_the_same_key_until_the_server_has_time(trouble: Answer) -> None:
    run, asked = ask([trouble, trouble, RUN])
    assert run == {"id": "the-run"}
    assert len(asked) == 3
    assert {request.path for request in asked} == {"/api/deployments/the-deployment/create_flow_run"}
    for request in asked:
        assert json.loads(request.body) == {"parameters": {"force": True}, "idempotency_key": "once"}


def test_a_server_that_never_has_time_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prefect_api, "_DELAYS", (0.0, 0.0))
    with pytest.raises(Transient, match="503"):
        ask([BUSY] * 3)


def test_a_refusal_is_asked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prefect_api, "_DELAYS", (0.0, 0.0))
    with pytest.raises(Terminal):
        ask([Answer(422, body=b"{}"), RUN])
