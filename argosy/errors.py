"""The errors of Argosy: each names what went wrong, where, why and the remedy."""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar

from argosy.printable import printable


class ExitCode(IntEnum):
    """What a command's exit status says; docs/errors.md lists which error ends in which."""

    DONE = 0
    FAILED = 1
    WRONG = 2
    """Wrong use, or wrong configuration: nothing was begun."""
    NOTHING_TO_DO = 3
    """Told apart from DONE only where the caller asked to know."""
    REFUSED = 4
    """A policy said no: a hold, an approval, a scan."""
    DOWN = 5
    """An outside service does not answer, or not as it should; it may be worth trying again."""


class ArgosyError(Exception):
    """The base of every error that Argosy raises on purpose.

    `service` names the service concerned, where there is one; `category` the kind of failure, where kinds are told
    apart; `remedy` says in words what to do about it; `exit_code` is how a command ends that it reaches.
    """

    exit_code: ClassVar[ExitCode] = ExitCode.FAILED

    def __init__(
        self, message: str, *, service: str | None = None, remedy: str | None = None, category: str | None = None
    ) -> None:
        super().__init__(_shown(message))
        self.message = _shown(message)
        self.service = service
        self.remedy = remedy
        self.category = category

    def __str__(self) -> str:
        subject = "".join(f"{each}: " for each in (self.service, self.category) if each)
        return f"{subject}{self.message}" + (f" ({self.remedy})" if self.remedy else "")

    def __reduce__(self) -> tuple[object, ...]:
        # Keyword-only arguments do not survive the default pickling, and Prefect pickles what a task raises.
        return (_rebuild, (type(self), self.message, self.service, self.remedy, self.category))


def _shown(text: str) -> str:
    # What others wrote is quoted in messages: an escape sequence in it must not reach anybody's terminal.
    return printable(text, keep="\n\t")


def _rebuild(
    kind: type[ArgosyError], message: str, service: str | None, remedy: str | None, category: str | None = None
) -> ArgosyError:
    return kind(message, service=service, remedy=remedy, category=category)


class Transient(ArgosyError):
    """It may well work when tried again: network, 5xx, 429, throttling, a push that lost a race."""

    exit_code = ExitCode.DOWN


class Unwell(Transient):
    """An endpoint is ill: it gives no answer, or one that says so itself (5xx). Circuit breakers count these."""


class Terminal(ArgosyError):
    """Trying again changes nothing: bad configuration, bad credentials, a broken Dockerfile."""


class ConfigurationError(Terminal):
    """`argosy.yaml`, or what it points at, is wrong."""

    exit_code = ExitCode.WRONG


class WrongUse(Terminal):
    """What was asked for makes no sense: an abbreviated commit, a name that can be none."""

    exit_code = ExitCode.WRONG


class CircuitOpen(Terminal):
    """An endpoint failed so often in a row that it is left alone: nothing was asked, and trying again now is no use.

    Another registry may serve, or the next run.
    """

    exit_code = ExitCode.DOWN


class ReleaseFailed(Terminal):
    """A run ended with at least one service not released; what succeeded stays released."""


class PolicyRefused(Terminal):
    """A policy of the environment said no to a service: its image has findings that block a release."""

    exit_code = ExitCode.REFUSED
