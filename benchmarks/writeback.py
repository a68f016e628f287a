"""Writing back while others write to the same branch, against the limits for it: `python -m benchmarks.writeback`."""

from __future__ import annotations

import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from argosy.errors import ArgosyError
from benchmarks.chronicle import Chronicle, Claim
from benchmarks.contest import Competitor, Contest
from benchmarks.report import Bound, Figure, Result, main
from deployments.local.git_server import DEVELOPER

ROUNDS = 3
SERVICES = 90
LIMIT_SECONDS = 5.0
PERIOD_SECONDS = 0.1
RUNS, OF_EACH, APART = 4, 25, 20
SECONDS = 60.0
LIMIT_ATTEMPTS = 3

_ABOUT = (
    f"A git server that speaks smart HTTP, with a protected branch and signed releases. Somebody else reads that "
    f"branch, commits to it, pushes, and does so again {PERIOD_SECONDS * 1000:.0f} ms later, all the time. One release "
    f"of {SERVICES} services is planned and written back meanwhile: one commit, within {LIMIT_SECONDS:.0f} s, and "
    f"nobody's work lost. Then {RUNS} writers of one machine release {OF_EACH} services each, some of them the same, "
    f"run after run for {SECONDS:.0f} s. The branch's history is read in the end: every release that a run tells of "
    f"must be in it, every commit of the other's too, and no service may ever go back to an older commit."
)


@dataclass(frozen=True, slots=True)
class Run:
    """A run of a writer: how long it took, what it claims to have released, or why it failed."""

    seconds: float
    attempts: int = 0
    claim: Claim | None = None
    failure: str = ""


def measure(tell: Callable[[str], None], *, seconds: float = SECONDS, rounds: int = ROUNDS) -> Result:
    """Measure one large release, and four writers for so many seconds, each with a competitor."""
    with tempfile.TemporaryDirectory(prefix="argosy-benchmark-") as folder:
        with Contest(Path(folder) / "one", SERVICES) as contest:
            singles, first = _large(contest, rounds, tell)
        with Contest(Path(folder) / "many", (RUNS - 1) * APART + OF_EACH) as contest:
            runs, second = _many(contest, seconds, tell)
    return _result(singles, runs, (first, second))


def _result(singles: Sequence[Run], runs: Sequence[Run], chronicles: Sequence[Chronicle]) -> Result:
    ended = [run for run in runs if not run.failure] or [Run(0.0, attempts=sys.maxsize)]
    faults = [fault for chronicle in chronicles for fault in chronicle.faults]
    failures = [run.failure for run in (*singles, *runs) if run.failure]
    figures = (
        Figure(name=f"{SERVICES} services written back", rounds=tuple(run.seconds for run in singles)),
        Figure(name=f"one of {len(runs)} runs of {RUNS} writers", rounds=(median(run.seconds for run in ended),)),
    )
    attempts = float(median(run.attempts for run in ended))
    bounds = (
        Bound(name=figures[0].name, unit="s", rounds=figures[0].rounds, limit=LIMIT_SECONDS),
        Bound(name="median of a run's pushes", unit="attempts", rounds=(attempts,), limit=LIMIT_ATTEMPTS),
        Bound(name="runs that failed", unit="runs", rounds=(float(len(failures)),), limit=0),
        Bound(name="lost, doubled or set back", unit="faults", rounds=(float(len(faults)),), limit=0),
    )
    pushes = f"Pushes of the large release: {', '.join(str(run.attempts) for run in singles)}."
    theirs = f"Commits of the other meanwhile: {', '.join(str(len(each.theirs)) for each in chronicles)}."
    about = " ".join([_ABOUT, pushes, theirs, *faults[:5], *failures[:5]])
    return Result(benchmark="writeback", about=about, figures=figures, ratios=(), bounds=bounds)


def _large(contest: Contest, rounds: int, tell: Callable[[str], None]) -> tuple[list[Run], Chronicle]:
    mirror, competitor = contest.mirror("ours"), Competitor(contest.mirror("theirs", DEVELOPER), PERIOD_SECONDS)
    runs = []
    with competitor.competing():
        for number in range(1, rounds + 1):
            competitor.wait_for(1)
            runs.append(_run(contest, lambda run: contest.release(mirror, contest.names, run), f"large-{number}"))
            tell(f"round {number} of {rounds}: {runs[-1].seconds:.2f} s, {runs[-1].attempts} pushes {runs[-1].failure}")
    return runs, _chronicle(contest, runs, competitor)


def _many(contest: Contest, seconds: float, tell: Callable[[str], None]) -> tuple[list[Run], Chronicle]:
    competitor = Competitor(contest.mirror("theirs", DEVELOPER), PERIOD_SECONDS)
    over = threading.Event()

    def writer(number: int) -> list[Run]:
        mirror, runs = contest.mirror("ours"), list[Run]()
        names = contest.names[number * APART :][:OF_EACH]
        while not over.is_set():
            name = f"writer-{number}-{len(runs)}"
            runs.append(_run(contest, lambda run: contest.release(mirror, names, run), name))
        return runs

    with ThreadPoolExecutor(RUNS) as pool, competitor.competing():
        writers = [pool.submit(writer, number) for number in range(RUNS)]
        over.wait(seconds)
        over.set()
        runs = [run for each in writers for run in each.result()]
    tell(f"{len(runs)} runs of {RUNS} writers, pushes {sorted(run.attempts for run in runs)}")
    return runs, _chronicle(contest, runs, competitor)


def _run(contest: Contest, release: Callable[[str], Claim], name: str) -> Run:
    began = time.perf_counter()
    try:
        claim = release(name)
    except ArgosyError as error:
        return Run(time.perf_counter() - began, failure=f"{name}: {error}")
    return Run(time.perf_counter() - began, claim.written.attempts, claim)


def _chronicle(contest: Contest, runs: Sequence[Run], competitor: Competitor) -> Chronicle:
    return Chronicle.read(contest.git, [run.claim for run in runs if run.claim], competitor.made)


if __name__ == "__main__":
    sys.exit(main(measure))
