from __future__ import annotations

import pytest

from argosy.errors import Terminal
from benchmarks.phases import complete, phases, until_written
from deployments.local.prefect_api import FlowRun, TaskRun

TASKS = {
    "resolve prod": (5, 6),
    "plan prod": (6.5, 8),
    "ensure repository ui": (8, 9),
    "ensure repository cart": (8, 10),
    "build cart": (9, 15),
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


def test_the_parts_follow_each_other_and_sum_up_to_the_run() -> None:
    parts = phases(run(), tasks())
    assert parts == [
        ("start-up", 3.0),
        ("resolve", 2.0),
        ("plan", 2.0),
        ("ensure repositories", 2.0),
        ("builds", 5.0),
        ("write-back", 2.0),
        ("verification", 4.0),
        ("report and end", 11.0),
    ]
    assert sum(seconds for _, seconds in parts) == 31.0


def test_what_is_measured_begins_at_the_flows_start_and_ends_with_the_write_back() -> None:
    assert until_written(run(), tasks()) == 13.0


def test_tasks_whose_end_has_not_arrived_are_waited_for() -> None:
    assert complete(tasks())
    assert not complete(tasks(write_back_prod=(15, None)))
    assert not complete([task for task in tasks() if not task.name.startswith("write back")])


def test_a_run_without_a_write_back_is_an_error_and_not_a_quick_one() -> None:
    with pytest.raises(Terminal, match="write-back"):
        until_written(run(), [task for task in tasks() if not task.name.startswith("write back")])
