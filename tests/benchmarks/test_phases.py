from __future__ import annotations

import pytest

from argosy.errors import Terminal
from benchmarks.phases import Record, phases, stage, until_written
from deployments.local.prefect_api import FlowRun, TaskRun

TASKS = {
    "resolve prod": (5, 6),
    "plan prod": (6.5, 8),
    "build cart": (8, 15),
    "reuse ui": (10, 12),
    "write back prod": (15, 17),
    "move tags prod": (17, 30),
    "verify ui": (17, 20),
    "record verdicts prod": (20, 21),
    "report prod": (30, 31),
}


def at(second: float | None) -> str | None:
    return None if second is None else f"2026-01-01T00:00:{second:06.3f}Z"


def run() -> FlowRun:
    return FlowRun("id", "release", "COMPLETED", "Completed", "", "2026-01-01T00:00:01Z", at(4), at(32))


def tasks(**changed: tuple[float, float | None]) -> list[TaskRun]:
    times = {**TASKS, **{name.replace("_", " "): span for name, span in changed.items()}}
    return [TaskRun(name, "COMPLETED", "Completed", 0.0, at(a), at(b)) for name, (a, b) in times.items()]


LINES = [
    (9.5, "cart: [2/2] RUN echo pushing it"),
    (11, "cart: exporting to image: pushing layers"),
    (13, "ui: exporting to image"),
    (13.5, "ui: exporting to image: pushing layers"),
    (14, "cart: exporting to image: pushing manifest for 127.0.0.1:5000/cart"),
    (14.5, "ui: exporting to image: pushing layers 1.0s done"),
]


def record(found: list[TaskRun] | None = None, lines: int = len(LINES)) -> Record:
    logged = [{"timestamp": at(second), "message": message} for second, message in LINES[:lines]]
    return Record(run(), tasks() if found is None else found, logged)


def test_the_parts_follow_each_other_and_sum_up_to_the_run() -> None:
    parts = phases(record())
    assert parts == [
        ("start-up", 3.0),
        ("resolve", 2.0),
        ("plan", 2.0),
        ("builds", 5.5),
        ("pushes", 1.5),
        ("write-back", 2.0),
        ("verification", 4.0),
        ("report and end", 11.0),
    ]
    assert sum(seconds for _, seconds in parts) == 31.0


def test_what_is_measured_begins_at_the_flows_start_and_ends_with_the_write_back() -> None:
    assert until_written(record()) == 13.0


def test_the_stage_lasts_from_the_first_build_to_the_last_image() -> None:
    parts = stage(record())
    assert parts == [("builds", 5.5), ("pushes", 1.5)]
    assert sum(seconds for _, seconds in parts) == 7.0


def test_a_stage_that_only_reuses_has_no_pushes() -> None:
    found = [task for task in tasks(reuse_cart=(9, 13)) if task.name != "build cart"]
    assert stage(record(found, lines=0)) == [("reuse", 4.0)]


def test_a_stage_without_its_tasks_is_an_error_and_not_a_quick_one() -> None:
    with pytest.raises(Terminal, match="pushes"):
        stage(record([task for task in tasks() if not task.name.startswith(("build ", "reuse "))]))


def test_what_has_not_arrived_yet_is_waited_for() -> None:
    two = tasks(build_ui=(9, 15))
    assert record(two).complete
    assert not record(tasks(write_back_prod=(15, None))).complete
    assert not record([task for task in tasks() if not task.name.startswith("write back")]).complete
    assert not record(two, lines=3).complete


def test_a_service_that_is_reused_is_never_pushed() -> None:
    assert record(lines=2).complete


def test_a_run_without_a_write_back_or_a_push_is_an_error_and_not_a_quick_one() -> None:
    with pytest.raises(Terminal, match="write-back"):
        until_written(record([task for task in tasks() if not task.name.startswith("write back")]))
    with pytest.raises(Terminal, match="pushes"):
        phases(record(lines=1))
