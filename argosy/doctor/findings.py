"""A finding of the doctor: one thing looked at, how it is, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from argosy.errors import ArgosyError, ExitCode, Transient
from argosy.redact import redact


class Level(StrEnum):
    """How bad it is."""

    GOOD = "good"
    SKIPPED = "skipped"
    """It was not looked at; the finding says what for lack of."""
    WARNING = "warning"
    """A release works, but something is lost."""
    WRONG = "wrong"
    DOWN = "down"
    """An outside service does not answer, or not as it should."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor's: `what` was looked at, `where`, `why` it is at that level, and the `remedy`."""

    level: Level
    what: str
    where: str
    why: str
    remedy: str = ""


def of_error(what: str, where: str, error: ArgosyError) -> Finding:
    """The finding that an error stands for: DOWN for what may pass, else WRONG."""
    level = Level.DOWN if isinstance(error, Transient) else Level.WRONG
    message = f"{error.service}: {error.message}" if error.service else error.message
    return Finding(level, what, where, redact(message), redact(error.remedy or ""))


def probed(what: str, where: str, probe: Callable[[], str]) -> Finding:
    """What `probe` says, GOOD, or the finding that the ArgosyError stands for that it raises."""
    try:
        return Finding(Level.GOOD, what, where, probe())
    except ArgosyError as error:
        return of_error(what, where, error)


def verdict(findings: Iterable[Finding]) -> ExitCode:
    """FAILED where anything is wrong, else DOWN where a service is; a warning alone is no failure."""
    levels = {finding.level for finding in findings}
    if Level.WRONG in levels:
        return ExitCode.FAILED
    return ExitCode.DOWN if Level.DOWN in levels else ExitCode.DONE
