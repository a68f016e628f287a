"""`argosy plan` as a whole process: `python -m benchmarks.plan [--json]`."""

from __future__ import annotations

import json
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from argosy.errors import Terminal
from argosy.git import Git
from benchmarks import monorepos, released_shop
from benchmarks.processes import run
from benchmarks.report import Figure, Ratio, Result, alternate, main

ROUNDS = 5
SECOND = Figure(name="1 s", rounds=(1.0,))

_ABOUT = (
    "Whole processes, from start to end, each once a round in turn. The small repository is the example before its "
    "adoption; in the large one 1,000 services of 50 files were released at 1,000 different commits, and 10 of them "
    "have changed since. git is `git diff-tree` of the whole large history's two ends alone."
)


@dataclass(frozen=True, slots=True)
class Case:
    """A repository, how many services are in which state there, and how many seconds their plan may take."""

    name: str
    git: Git
    environment: str
    states: dict[str, int]
    seconds: float

    def measure(self) -> float:
        """The seconds of one plan. Raises Terminal where it says anything else than it should."""
        command = [sys.executable, "-m", "argosy", "plan", "--environment", self.environment, "--json"]
        ran = run(command, self.git.directory)
        found = Counter(item["state"] for item in json.loads(ran.output)["services"].values())
        if found != self.states:
            raise Terminal(f"the plan says {dict(found)}, and not {self.states}", remedy="see which is right")
        return ran.seconds


def measure(tell: Callable[[str], None]) -> Result:
    """Measure plans of a small and of a large repository."""
    with tempfile.TemporaryDirectory(prefix="argosy-bench-") as folder:
        cases = _cases(Path(folder))
        subjects: dict[str, Callable[[], float]] = {case.name: case.measure for case in cases}
        subjects["git diff-tree, 1,000 services"] = lambda: _floor(cases[-1].git)
        for warm in subjects.values():
            warm()
        tell("all have run once to warm up")
        figures = {figure.name: figure for figure in alternate(ROUNDS, subjects, tell)}
        ratios = tuple(Ratio.between(figures[case.name], SECOND, case.seconds) for case in cases)
        return Result(benchmark="plan", about=_ABOUT, figures=tuple(figures.values()), ratios=ratios)


def _cases(folder: Path) -> tuple[Case, Case]:
    small = monorepos.example(folder / "small")
    large = released_shop.make(folder / "large")
    changed = released_shop.CHANGED
    states = {"build": changed, "unchanged": monorepos.SERVICES - changed}
    return (
        Case("plan, 5 services", small, "prod", {"unknown": 5}, 1.0),
        Case("plan, 1,000 services", large, "prod", states, 2.5),
    )


def _floor(git: Git) -> float:
    first = git.text("rev-list", "--max-parents=0", "HEAD")
    return run(["git", "diff-tree", "-r", "-z", "--name-status", first, "HEAD"], git.directory).seconds


if __name__ == "__main__":
    sys.exit(main(measure))
