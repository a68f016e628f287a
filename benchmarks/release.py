"""Releases of five services against the floor of plain shell: `python -m benchmarks.release [--json]`."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from argosy.config import FILE
from benchmarks import slow_shop
from benchmarks.floor import Floor
from benchmarks.flow import Flow, Released, described
from benchmarks.memory import of_imports
from benchmarks.phases import Record, phases, stage, until_written
from benchmarks.report import Bound, Breakdown, Figure, Ratio, Result, breakdown, in_turn, main
from deployments.local.stack import Stack

ROUNDS = 3
STEP_SECONDS = 2.0
FLOW, FLOOR = "flow", "plain shell"
STAGE, BUILDS = "stage, nothing cached", "shell builds, nothing cached"
STAGE_CACHED, BUILDS_CACHED = "stage, all cached", "shell builds, all cached"
STAGE_REUSED = "stage, all reused"
LIMITS = (
    (FLOW, FLOOR, 1.6),
    (STAGE, BUILDS, 1.15),
    (STAGE_CACHED, BUILDS_CACHED, 1.3),
    (STAGE_REUSED, BUILDS_CACHED, 0.3),
)
MEBIBYTES, GROWTH = 300.0, 100.0

_ABOUT = (
    f"Five services, each with a build step of {STEP_SECONDS:g} s that is spared only where all is cached. The flow is "
    "measured from the server's start_time of the run to the end of its task run `write back`, as the server has it: "
    "that is later than the release commit's arrival on the git server by all that Prefect still does for the task. "
    "Its stage is that of the task runs `build` and `reuse`, which see to the repositories too. The plain shell builds "
    "and pushes the same services side by side, edits their values files, makes one signed commit and pushes it "
    "to the same git server. All cached: the content is new by a label. All reused: the registry has the images; "
    "nothing is built and no layer pushed. The flow's builds leave caches in the registry too, which the shell's do "
    "not, and may still be at it when the stage ends. The flow's memory is the most that its process had resident, as "
    "the kernel has it; with ten builds, against a process that only imports the same."
)


def measure(tell: Callable[[str], None]) -> Result:
    """Measure releases of five services against plain shell."""
    with tempfile.TemporaryDirectory(prefix="argosy-bench-") as folder:
        source = slow_shop.make(Path(folder) / "shop", STEP_SECONDS)
        with Stack(source, tell=lambda name, seconds: tell(f"{name} is up ({seconds:.1f} s)")) as stack:
            flow = Flow(stack, described(stack))
            flow.fresh(adopt=True)
            floor = Floor.on(stack, flow.described)
            floor.fresh()
            tell("both have run once to warm up")
            subjects = Subjects(flow, floor)
            found = in_turn(ROUNDS, subjects.in_order(), tell)
            growth = _growth(stack, source)
            tell(f"with ten builds the flow's process grew by {growth:.0f} MiB")
            return _result(found, subjects, growth)


@dataclass(frozen=True, slots=True)
class Subjects:
    """What is measured once a round, in an order in which each finds the content that it needs; `kept` has the runs."""

    flow: Flow
    floor: Floor
    kept: dict[str, list[Released]] = field(default_factory=dict)

    def in_order(self) -> list[Callable[[], Mapping[str, float]]]:
        """The subjects, each of which returns seconds by the name of the figure."""
        return [self._shell, self._fresh, self._shell_cached, self._cached, self._reused]

    def _shell(self) -> dict[str, float]:
        spent = self.floor.fresh()
        return {FLOOR: spent.whole, BUILDS: spent.builds}

    def _shell_cached(self) -> dict[str, float]:
        return {BUILDS_CACHED: self.floor.cached().builds}

    def _fresh(self) -> dict[str, float]:
        record = self._keep(STAGE, self.flow.fresh())
        return {FLOW: until_written(record), STAGE: _seconds(record)}

    def _cached(self) -> dict[str, float]:
        return {STAGE_CACHED: _seconds(self._keep(STAGE_CACHED, self.flow.cached()))}

    def _reused(self) -> dict[str, float]:
        return {STAGE_REUSED: _seconds(self._keep(STAGE_REUSED, self.flow.reused()))}

    def _keep(self, figure: str, released: Released) -> Record:
        self.kept.setdefault(figure, []).append(released)
        return released.record


def _seconds(record: Record) -> float:
    return sum(seconds for _, seconds in stage(record))


def _growth(stack: Stack, shop: Path) -> float:
    """The MiB that the flow's process has beyond its imports while it builds ten services."""
    branch = described(stack).source_branch
    twins = slow_shop.doubled(shop, (stack.developer.path / FILE).read_text())
    stack.developer.commit("Double the shop", twins, branch)
    return Flow(stack, described(stack)).fresh().mebibytes - of_imports()


def _result(found: Mapping[str, Figure], subjects: Subjects, growth: float) -> Result:
    peaks = tuple(each.mebibytes for each in subjects.kept[STAGE])
    return Result(
        benchmark="release",
        about=_ABOUT,
        figures=tuple(found.values()),
        ratios=tuple(Ratio.between(found[name], found[floor], limit) for name, floor, limit in LIMITS),
        bounds=(
            Bound(name="memory of the flow", unit="MiB", rounds=peaks, limit=MEBIBYTES),
            Bound(name="growth of the flow with ten builds", unit="MiB", rounds=(growth,), limit=GROWTH),
        ),
        breakdowns=tuple(_where_it_went(found, subjects)),
    )


def _where_it_went(found: Mapping[str, Figure], subjects: Subjects) -> list[Breakdown]:
    """The parts of the runs that are the median of their kind: of the whole one, and of each stage."""
    whole = _median(subjects.kept[STAGE], until_written)
    parts = [breakdown("where the median run's time went", FLOOR, phases(whole), found[FLOOR].median)]
    for name, floor in ((STAGE, BUILDS), (STAGE_CACHED, BUILDS_CACHED), (STAGE_REUSED, BUILDS_CACHED)):
        record = _median(subjects.kept[name], _seconds)
        parts.append(breakdown(f"where it went: {name}", floor, stage(record), found[floor].median))
    return parts


def _median(kept: list[Released], seconds: Callable[[Record], float]) -> Record:
    ordered = sorted((each.record for each in kept), key=seconds)
    return ordered[len(ordered) // 2]


if __name__ == "__main__":
    sys.exit(main(measure))
