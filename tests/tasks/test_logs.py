"""The console of a flow's process: Argosy's lines are attributed, and all are JSON where that was asked for."""

from __future__ import annotations

import json
import logging

import pytest

from argosy.logs import VARIABLE, about, guard
from tasks.logs import _Console, _of_a_run

OTHERS = logging.Formatter("theirs: %(message)s")


@pytest.fixture(autouse=True)
def _guarded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    guard()


def written(logger: str, message: str) -> logging.LogRecord:
    with about(run="0af1", service="ui"):
        return logging.getLogger(logger).makeRecord(logger, logging.INFO, "", 0, message, (), None)


def test_argosys_lines_name_their_run_and_those_of_others_stay_as_they_were() -> None:
    console = _Console(OTHERS)
    assert console.format(written("argosy.images", "built")).endswith(" INFO argosy.images run=0af1 ui: built")
    assert console.format(written("prefect.flow_runs", "began")) == "theirs: began"
    assert console.format(written("argosynot", "said")) == "theirs: said"


def test_every_line_is_a_json_object_where_that_was_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "json")
    console = _Console(OTHERS)
    lines = [json.loads(console.format(written(name, "said"))) for name in ("argosy.images", "prefect.flow_runs")]
    assert [(line["run"], line["service"], line["message"]) for line in lines] == [("0af1", "ui", "said")] * 2


def test_lines_outside_a_run_are_not_sent_to_one() -> None:
    assert _of_a_run(written("argosy", "said"))
    assert not _of_a_run(logging.getLogger("argosy").makeRecord("argosy", logging.INFO, "", 0, "said", (), None))
