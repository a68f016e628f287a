"""`argosy changes` as a whole process, against the peer: `python -m benchmarks.changes [--json]`."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from argosy.errors import Terminal
from argosy.git import Git
from benchmarks import monorepos, peer
from benchmarks.processes import peak, run
from benchmarks.report import Figure, Ratio, Result, alternate, main

ROUNDS = 7
MEMORY = 80.0
"""What `argosy changes` may have at its peak, in MiB."""
HELP, HELP_SECONDS = "argosy --help", 0.3
SECOND = Figure(name="1 s", rounds=(1.0,))

_ABOUT = (
    "Whole processes, from start to end, each once a round in turn. The small repository is the example with fifty "
    "commits, of which the last is asked about; the large one has 1,000 services of 50 files, and all 50,000 of them "
    "changed. Where PATHS_FILTER names the index.js of dorny/paths-filter, the limits are in its times; else they are "
    "in seconds. git is `git diff-tree` alone, and node is an empty program."
)


@dataclass(frozen=True, slots=True)
class Case:
    """A repository, and what `argosy changes` may take there: in times of the peer, or without it in seconds."""

    name: str
    git: Git
    services: tuple[str, ...]
    changed: tuple[str, ...]
    times: float
    seconds: float

    def subjects(self) -> dict[str, Callable[[], float]]:
        """What is measured here, by name."""
        base, head = self._commits()

        def ours() -> float:
            ran = run(self._command(), self.git.directory)
            self._check([name for name, value in json.loads(ran.output)["services"].items() if value])
            return ran.seconds

        def floor() -> float:
            return run(["git", "diff-tree", "-r", "-z", "--name-status", base, head], self.git.directory).seconds

        def theirs() -> float:
            ran = peer.measure(self.git, self.services, base, head)
            self._check(peer.changed(self.git))
            return ran.seconds

        both = {self.called("argosy"): ours, self.called("git"): floor}
        return both | ({self.called("peer"): theirs} if peer.available() else {})

    def _commits(self) -> list[str]:
        return self.git.text("rev-parse", "HEAD~1", "HEAD").split()

    def _command(self) -> list[str]:
        base, head = self._commits()
        return [sys.executable, "-m", "argosy", "changes", "--base", base, "--head", head, "--json"]

    def called(self, subject: str) -> str:
        """The name of a figure."""
        return f"{subject}, {self.name}"

    def ratios(self, figures: dict[str, Figure]) -> list[Ratio]:
        """What is held to a limit: time, and memory at its peak."""
        ours = figures[self.called("argosy")]
        theirs = figures.get(self.called("peer"))
        time = Ratio.between(ours, theirs, self.times) if theirs else Ratio.between(ours, SECOND, self.seconds)
        memory = Ratio(
            name=f"memory of {ours.name} / 1 MiB", value=peak(self._command(), self.git.directory), limit=MEMORY
        )
        return [time, memory]

    def _check(self, changed: list[str]) -> None:
        if changed != [*self.changed]:
            raise Terminal(f"found {changed[:3]} changed, and not {self.changed[:3]}", remedy="see which is right")


def measure(tell: Callable[[str], None]) -> Result:
    """Measure `argosy changes` on a small and on a large repository, and `argosy --help`."""
    with tempfile.TemporaryDirectory(prefix="argosy-bench-") as folder:
        cases = _cases(Path(folder))
        subjects = {name: each for case in cases for name, each in case.subjects().items()}
        subjects |= _starts(cases[0].git.directory)
        for warm in subjects.values():
            warm()
        tell("all have run once to warm up")
        figures = {figure.name: figure for figure in alternate(ROUNDS, subjects, tell)}
        ratios = [ratio for case in cases for ratio in case.ratios(figures)]
        ratios.append(Ratio.between(figures[HELP], SECOND, HELP_SECONDS))
        return Result(benchmark="changes", about=_ABOUT, figures=tuple(figures.values()), ratios=tuple(ratios))


def _cases(folder: Path) -> tuple[Case, Case]:
    services = ("ui", "cart", "catalog", "checkout", "orders")
    small = Case("5 services", monorepos.example(folder / "small"), services, ("ui",), times=2.0, seconds=0.42)
    names = monorepos.names()
    return small, Case("1,000 services", monorepos.large(folder / "large"), names, names, times=0.25, seconds=1.7)


def _starts(folder: Path) -> dict[str, Callable[[], float]]:
    """What a process takes that hardly does anything."""
    ours = {HELP: lambda: run([sys.executable, "-m", "argosy", "--help"], folder).seconds}
    return ours | ({"node": lambda: run(["node", "--eval", "0"], folder).seconds} if peer.available() else {})


if __name__ == "__main__":
    sys.exit(main(measure))
