"""Where the time of a run went, read from what the Prefect server has of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from argosy.errors import Terminal
from deployments.local.prefect_api import FlowRun, TaskRun

WRITE_BACK = "write-back"

# The stages in the order of the flow, each with how the names of its task runs begin.
_STAGES = (
    ("resolve", ("resolve ",)),
    ("plan", ("plan ",)),
    ("ensure repositories", ("ensure repository ",)),
    ("builds", ("build ", "reuse ")),
    (WRITE_BACK, ("write back ",)),
    ("verification", ("verify ", "record verdicts ")),
)


def phases(run: FlowRun, tasks: Sequence[TaskRun]) -> list[tuple[str, float]]:
    """The parts of a run, in seconds, from the request for it to its end, without a gap.

    A stage lasts from the end of the stage before it to the end of its last task: what Prefect does to start its tasks
    is its own. Raises Terminal where a stage or a time is missing.
    """
    marks = [("start-up", _time(run.started, run.name))]
    marks += [(name, _end(name, prefixes, tasks)) for name, prefixes in _STAGES]
    marks.append(("report and end", _time(run.ended, run.name)))
    before = _time(run.created, run.name)
    parts = []
    for name, mark in marks:
        parts.append((name, (mark - before).total_seconds()))
        before = mark
    return parts


def until_written(run: FlowRun, tasks: Sequence[TaskRun]) -> float:
    """The seconds from the server's start time of the flow to the end of its task `write back`."""
    ended = _end(WRITE_BACK, dict(_STAGES)[WRITE_BACK], tasks)
    return (ended - _time(run.started, run.name)).total_seconds()


def complete(tasks: Sequence[TaskRun]) -> bool:
    """Whether the server has heard of the end of at least one task run of every stage, and of all that it knows."""
    ended = all(task.ended for task in tasks)
    return ended and all(any(task.name.startswith(prefixes) for task in tasks) for _, prefixes in _STAGES)


def _end(name: str, prefixes: tuple[str, ...], tasks: Sequence[TaskRun]) -> datetime:
    ends = [_time(task.ended, task.name) for task in tasks if task.name.startswith(prefixes)]
    if not ends:
        raise Terminal(f"the run has no task run of the stage {name}", remedy="see the run's log on the dashboard")
    return max(ends)


def _time(text: str | None, name: str) -> datetime:
    if text is None:
        raise Terminal(f"the server has not all the times of {name}", remedy="ask again when the run has ended")
    return datetime.fromisoformat(text)
