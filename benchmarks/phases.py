"""Where the time of a run went, read from what the Prefect server has of it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from argosy.errors import Terminal
from deployments.local.prefect_api import FlowRun, TaskRun

WRITE_BACK = "write-back"
BUILDS, PUSHES = "builds", "pushes"

# The stages in the order of the flow, each with how the names of its task runs begin.
_STAGES = (
    ("resolve", ("resolve ",)),
    ("plan", ("plan ",)),
    (PUSHES, ("build ", "reuse ")),
    (WRITE_BACK, ("write back ",)),
    ("verification", ("verify ", "record verdicts ")),
)
_BEGINNINGS = dict(_STAGES)
# A line of the run's log that quotes BuildKit: `ui: exporting to image: pushing layers`.
_PUSHING = re.compile(r"(?P<service>[a-z0-9-]+): exporting to image: pushing ")


@dataclass(frozen=True, slots=True)
class Record:
    """What the server has of a run: its task runs, and the lines of its log in their order."""

    run: FlowRun
    tasks: Sequence[TaskRun]
    lines: Sequence[Mapping[str, Any]]

    @property
    def complete(self) -> bool:
        """Whether it has the end of all task runs, at least one of every stage, and the start of each build's push."""
        ended = all(task.ended for task in self.tasks)
        begun = {task.name.split()[1] for task in self.tasks if task.name.startswith("build ")} <= _pushing(self).keys()
        stages = all(any(task.name.startswith(prefixes) for task in self.tasks) for _, prefixes in _STAGES)
        return ended and begun and stages


def phases(record: Record) -> list[tuple[str, float]]:
    """The parts of a run, in seconds, from the request for it to its end, without a gap.

    A stage lasts from the end of the stage before it to the end of its last task: what Prefect does to start its tasks
    is its own. Services are built and pushed side by side, so the builds last until the last of them begins to push, as
    BuildKit says in the run's log; what comes after is pushes and tags. Raises Terminal where a stage or a time is
    missing.
    """
    run, tasks = record.run, record.tasks
    marks = [("start-up", _time(run.started, run.name))]
    for name, prefixes in _STAGES:
        if name == PUSHES:
            marks.append((BUILDS, _all_built(record)))
        marks.append((name, _end(name, prefixes, tasks)))
    marks.append(("report and end", _time(run.ended, run.name)))
    return _parts(_time(run.created, run.name), marks)


def until_written(record: Record) -> float:
    """The seconds from the server's start time of the flow to the end of its task `write back`."""
    ended = _end(WRITE_BACK, _BEGINNINGS[WRITE_BACK], record.tasks)
    return (ended - _time(record.run.started, record.run.name)).total_seconds()


def stage(record: Record) -> list[tuple[str, float]]:
    """The parts, in seconds, of the stage that sees to the images, without a gap.

    It lasts from the start of the first task run `build` or `reuse` to the end of the last. Where all was reused there
    are no pushes. Raises Terminal where a time is missing.
    """
    before = _begin(PUSHES, record.tasks)
    marks = []
    if _pushing(record):
        marks.append((BUILDS, _all_built(record)))
    last = PUSHES if _pushing(record) else "reuse"
    marks.append((last, _end(PUSHES, _BEGINNINGS[PUSHES], record.tasks)))
    return _parts(before, marks)


def _parts(before: datetime, marks: Sequence[tuple[str, datetime]]) -> list[tuple[str, float]]:
    parts = []
    for name, mark in marks:
        parts.append((name, (mark - before).total_seconds()))
        before = mark
    return parts


def _all_built(record: Record) -> datetime:
    """When the last service began to be pushed; those that were reused never were."""
    begun = _pushing(record).values()
    if not begun:
        raise Terminal("no build of the run says that it pushes", remedy="see the run's log on the dashboard")
    return max(begun)


def _pushing(record: Record) -> dict[str, datetime]:
    """When each service that was built began to be pushed."""
    begun: dict[str, datetime] = {}
    for line in record.lines:
        if found := _PUSHING.match(line["message"]):
            begun.setdefault(found["service"], _time(line["timestamp"], record.run.name))
    return begun


def _end(name: str, prefixes: tuple[str, ...], tasks: Sequence[TaskRun]) -> datetime:
    ends = [_time(task.ended, task.name) for task in tasks if task.name.startswith(prefixes)]
    if not ends:
        raise Terminal(f"the run has no task run of the stage {name}", remedy="see the run's log on the dashboard")
    return max(ends)


def _begin(name: str, tasks: Sequence[TaskRun]) -> datetime:
    begun = [_time(task.started, task.name) for task in tasks if task.name.startswith(_BEGINNINGS[name])]
    if not begun:
        raise Terminal(f"the run has no task run of the stage {name}", remedy="see the run's log on the dashboard")
    return min(begun)


def _time(text: str | None, name: str) -> datetime:
    if text is None:
        raise Terminal(f"the server has not all the times of {name}", remedy="ask again when the run has ended")
    return datetime.fromisoformat(text)
