"""The errors of Argosy: each names what went wrong, where, why and the remedy."""

from __future__ import annotations


class ArgosyError(Exception):
    """The base of every error that Argosy raises on purpose.

    `service` names the service concerned, where there is one; `remedy` says in words what to do about it.
    """

    def __init__(self, message: str, *, service: str | None = None, remedy: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.service = service
        self.remedy = remedy

    def __str__(self) -> str:
        subject = f"{self.service}: " if self.service else ""
        return f"{subject}{self.message}" + (f" ({self.remedy})" if self.remedy else "")

    def __reduce__(self) -> tuple[object, ...]:
        # Keyword-only arguments do not survive the default pickling, and Prefect pickles what a task raises.
        return (_rebuild, (type(self), self.message, self.service, self.remedy))


def _rebuild(kind: type[ArgosyError], message: str, service: str | None, remedy: str | None) -> ArgosyError:
    return kind(message, service=service, remedy=remedy)


class Transient(ArgosyError):
    """It may well work when tried again: network, 5xx, 429, throttling, a push that lost a race."""


class Terminal(ArgosyError):
    """Trying again changes nothing: bad configuration, bad credentials, a broken Dockerfile."""


class ConfigurationError(Terminal):
    """`argosy.yaml`, or what it points at, is wrong."""


class ReleaseFailed(Terminal):
    """A run ended with at least one service not released; what succeeded stays released."""
