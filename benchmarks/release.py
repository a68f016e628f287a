"""A release of five services against the floor of plain shell: `python -m benchmarks.release [--json]`."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

import psutil

from argosy import environment
from argosy.config import FILE, load
from argosy.environment import Environment
from argosy.errors import Terminal, Transient
from benchmarks import slow_shop
from benchmarks.floor import Floor
from benchmarks.memory import Peak
from benchmarks.phases import Record, phases, until_written
from benchmarks.report import Bound, Breakdown, Ratio, Result, alternate, breakdown, main
from deployments.local.prefect_api import FlowRun, PrefectApi
from deployments.local.stack import Stack

T = TypeVar("T")

ROUNDS = 3
STEP_SECONDS = 2.0
LIMIT, MEBIBYTES = 1.6, 300.0
ENVIRONMENT = "prod"
FLOW, FLOOR = "flow", "plain shell"

_ABOUT = (
    f"Five services, each with a build step of {STEP_SECONDS:g} s that no cache spares. The flow is measured from the "
    "server's start_time of the run to the end of its task run `write back`, as the server has it: that is later than "
    "the release commit's arrival on the git server by all that Prefect still does for the task. The plain shell "
    "builds and pushes the same services side by side, edits their values files, makes one signed commit and pushes "
    "it to the same git server. The flow's memory is the most that its process had resident, as the kernel has it."
)


def measure(tell: Callable[[str], None]) -> Result:
    """Measure a release of five services against plain shell."""
    with tempfile.TemporaryDirectory(prefix="argosy-bench-") as folder:
        source = slow_shop.make(Path(folder) / "shop", STEP_SECONDS)
        with Stack(source, tell=lambda name, seconds: tell(f"{name} is up ({seconds:.1f} s)")) as stack:
            flow = Flow(stack, _described(stack))
            flow.measure(adopt=True)
            floor = Floor.on(stack, flow.described)
            floor.measure()
            tell("both have run once to warm up")
            flow.runs.clear()
            flow.peaks.clear()
            figures = alternate(ROUNDS, {FLOOR: floor.measure, FLOW: flow.measure}, tell)
            floors, flows = figures
            return Result(
                benchmark="release",
                about=_ABOUT,
                figures=(flows, floors),
                ratios=(Ratio.between(flows, floors, LIMIT),),
                bounds=(Bound(name="memory of the flow", unit="MiB", rounds=tuple(flow.peaks), limit=MEBIBYTES),),
                breakdowns=(_where_it_went(flow, floors.median),),
            )


def _described(stack: Stack) -> Environment:
    return environment.resolve(load((stack.developer.path / FILE).read_bytes()), ENVIRONMENT)


def _where_it_went(flow: Flow, floor: float) -> Breakdown:
    """The parts of the run whose time to the write-back is the median."""
    ordered = sorted(flow.runs, key=until_written)
    return breakdown("where the median run's time went", FLOOR, phases(ordered[len(ordered) // 2]), floor)


@dataclass(slots=True)
class Flow:
    """Releases of `described` by a worker of `stack`; `runs` keeps what the server has of each, `peaks` its memory."""

    stack: Stack
    described: Environment
    runs: list[Record] = field(default_factory=list)
    peaks: list[float] = field(default_factory=list)

    def measure(self, *, adopt: bool = False) -> float:
        """Release fresh content of every service; the seconds from the flow's start to its write-back's end.

        Raises Terminal when the run does not release all of them.
        """
        services = self.described.services
        fresh = slow_shop.freshened(service.path for service in services)
        source = self.stack.developer.commit("Freshen every service", fresh, self.described.source_branch)
        peak = Peak(self._worker().pid)
        with peak.watched():
            record = self._run(source, adopt=adopt)
            self._settle()
        written = self.stack.origin.text("diff", "--name-only", source, f"refs/heads/{self.described.target_branch}")
        if set(written.splitlines()) != {service.values_path for service in services}:
            raise Terminal(f"the run wrote {written.split() or 'nothing'}", remedy="see its log on the dashboard")
        self.runs.append(record)
        self.peaks.append(peak.mebibytes)
        return until_written(record)

    def _run(self, source: str, *, adopt: bool) -> Record:
        asked = {"source_sha": source, "adopt": adopt}
        with self.stack.api as api:
            run = api.wait(api.create_flow_run(f"release/{ENVIRONMENT}", asked).id)
            if run.state != "COMPLETED":
                raise Terminal(f"the run ended {run.state_name}: {run.message}", remedy="see the worker's log")
            # What the tasks report arrives a little after the run's own end.
            return _await(partial(_record, api, run), lambda record: record.complete, "what the run did")

    def _settle(self) -> None:
        """Wait for the run's process to be gone, so that it takes nothing from what is measured next."""
        _await(self._worker().children, lambda children: not children, "the end of the run's process")

    def _worker(self) -> psutil.Process:
        return psutil.Process(json.loads((self.stack.state / "run" / "worker.json").read_text())["pid"])


def _record(api: PrefectApi, run: FlowRun) -> Record:
    return Record(run, api.task_runs(run.id), api.logs(run.id))


def _await(read: Callable[[], T], enough: Callable[[T], bool], what: str, seconds: float = 60.0) -> T:
    deadline = time.monotonic() + seconds
    while not enough(found := read()):
        if time.monotonic() > deadline:
            raise Transient(f"{what} did not come within {seconds:.0f} s")
        time.sleep(0.1)
    return found


if __name__ == "__main__":
    sys.exit(main(measure))
