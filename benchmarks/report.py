"""The frame of every benchmark: rounds, medians, limits, and what is printed of them."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from statistics import median

from pydantic import BaseModel, ConfigDict, computed_field
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True)


class Figure(_Record):
    """One thing measured, in seconds, once a round."""

    name: str
    rounds: tuple[float, ...]

    @computed_field  # type: ignore[prop-decorator] # pydantic's own way, which mypy does not know
    @property
    def median(self) -> float:
        """The median of the rounds, in seconds."""
        return median(self.rounds)


class Ratio(_Record):
    """One median in units of another, taken in the same run; it passes up to and including `limit`."""

    name: str
    value: float
    limit: float

    @classmethod
    def between(cls, figure: Figure, floor: Figure, limit: float) -> Ratio:
        """How many times `floor` the median of `figure` is."""
        return cls(name=f"{figure.name} / {floor.name}", value=figure.median / floor.median, limit=limit)

    @computed_field  # type: ignore[prop-decorator] # as above
    @property
    def passed(self) -> bool:
        """Whether it keeps its limit."""
        return self.value <= self.limit


class Bound(_Record):
    """One thing measured once a round, in `unit`, whose largest value passes up to and including `limit`."""

    name: str
    unit: str
    rounds: tuple[float, ...]
    limit: float

    @computed_field  # type: ignore[prop-decorator] # as above
    @property
    def value(self) -> float:
        """The largest of the rounds."""
        return max(self.rounds)

    @computed_field  # type: ignore[prop-decorator] # as above
    @property
    def passed(self) -> bool:
        """Whether it keeps its limit."""
        return self.value <= self.limit


class Share(_Record):
    """A part of one measured time, in seconds, and as a share of `Breakdown.of`."""

    name: str
    seconds: float
    ratio: float


class Breakdown(_Record):
    """Where one measured time went: parts that follow each other, so that they sum up to it."""

    title: str
    of: str
    parts: tuple[Share, ...]


class Result(_Record):
    """What a benchmark found; `about` says in words what was measured, and how."""

    benchmark: str
    about: str
    figures: tuple[Figure, ...]
    ratios: tuple[Ratio, ...]
    bounds: tuple[Bound, ...] = ()
    breakdowns: tuple[Breakdown, ...] = ()

    @computed_field  # type: ignore[prop-decorator] # as above
    @property
    def passed(self) -> bool:
        """Whether everything that has a limit keeps it."""
        return all(ratio.passed for ratio in self.ratios) and all(bound.passed for bound in self.bounds)


def alternate(rounds: int, subjects: Mapping[str, Callable[[], float]], tell: Callable[[str], None]) -> list[Figure]:
    """Measure each of `subjects` once a round, in turn, so that what slows the machine slows all of them.

    Each subject returns its own seconds; `tell` hears of every one.
    """
    return list(in_turn(rounds, [_alone(name, measure) for name, measure in subjects.items()], tell).values())


def _alone(name: str, measure: Callable[[], float]) -> Callable[[], Mapping[str, float]]:
    return lambda: {name: measure()}


def in_turn(
    rounds: int, subjects: Sequence[Callable[[], Mapping[str, float]]], tell: Callable[[str], None]
) -> dict[str, Figure]:
    """The same with subjects that measure several things at once: each returns seconds by the name of the figure."""
    found: dict[str, list[float]] = {}
    for number in range(1, rounds + 1):
        for measure in subjects:
            for name, seconds in measure().items():
                found.setdefault(name, []).append(seconds)
                tell(f"round {number} of {rounds}: {name} {seconds:.2f} s")
    return {name: Figure(name=name, rounds=tuple(seconds)) for name, seconds in found.items()}


def breakdown(title: str, of: str, parts: Sequence[tuple[str, float]], whole: float) -> Breakdown:
    """`parts`, in seconds, each with its ratio to `whole`, which is called `of`."""
    return Breakdown(title=title, of=of, parts=tuple(Share(name=name, seconds=s, ratio=s / whole) for name, s in parts))


def show(result: Result) -> Group:
    """The result as tables for people."""
    figures = _table(result.benchmark, ("measured", "median", "rounds"))
    for figure in result.figures:
        rounds = ", ".join(f"{seconds:.2f}" for seconds in figure.rounds)
        figures.add_row(figure.name, f"{figure.median:.2f} s", rounds)
    limits = verdicts([result])
    return Group(Text(result.about), figures, *map(_parts, result.breakdowns), limits)


def verdicts(results: Sequence[Result]) -> Table:
    """Everything of `results` that has a limit against it."""
    table = _table("limits", ("benchmark", "what", "measured", "limit", ""))
    for result in results:
        rows = [(each.name, f"{each.value:.2f}x", f"{each.limit:.2f}x", each.passed) for each in result.ratios]
        for each in result.bounds:
            rows.append((each.name, f"{each.value:.0f} {each.unit}", f"{each.limit:.0f} {each.unit}", each.passed))
        for name, value, limit, passed in rows:
            verdict = "[green]passed[/]" if passed else "[red]failed[/]"
            table.add_row(result.benchmark, Text(name), value, f"at most {limit}", verdict)
    return table


def _parts(parts: Breakdown) -> Table:
    table = _table(parts.title, ("part", "seconds", f"of {parts.of}"))
    for part in parts.parts:
        table.add_row(part.name, f"{part.seconds:.2f}", f"{part.ratio:.2f}")
    return table


def _table(title: str, columns: Sequence[str]) -> Table:
    table = Table(title=title, title_justify="left")
    for number, column in enumerate(columns):
        table.add_column(column, justify="left" if number == 0 else "right")
    return table


def main(benchmark: Callable[[Callable[[str], None]], Result], arguments: Sequence[str] | None = None) -> int:
    """Run `benchmark`, which tells what it does by the line, and print what it found; 0 when it passed, else 1.

    With `--json` standard output has one JSON object and nothing else; progress goes to standard error.
    """
    parser = argparse.ArgumentParser(description=(benchmark.__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    chosen = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, _interrupt)
    progress = Console(stderr=True)
    result = benchmark(lambda line: progress.print(Text(line, style="dim")))
    if chosen.json:
        sys.stdout.write(result.model_dump_json() + "\n")
    else:
        Console().print(show(result))
    return 0 if result.passed else 1


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt  # so that what was started is stopped
