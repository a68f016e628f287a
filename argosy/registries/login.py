"""The credentials of a registry: asked for when they are needed, kept in memory, and renewed before they run out."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Self, TypeVar

from pydantic import SecretStr

from argosy.errors import ArgosyError, Transient

log = logging.getLogger(__name__)

_AT_LEAST = timedelta(minutes=5)
_PART = 10
_NEW = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class RegistryCredentials:
    """A user of a registry; `expires_at`, with its zone, is when the password ends, where it does."""

    username: str
    password: SecretStr
    expires_at: datetime | None = field(default=None, compare=False)


_REFUSED = re.compile(r"\b401\b|unauthorized|authentication required|expired|(?P<denied>denied)", re.IGNORECASE)

T = TypeVar("T")
Ask = Callable[[], RegistryCredentials | None]


def now() -> datetime:
    """The time, with its zone."""
    return datetime.now(UTC)


class Login:
    """What opens a registry, from `ask`; one for all threads of a run, which ask once for all of them.

    Credentials with an end are asked for anew when less than a tenth of their life, or 5 minutes, is left of it. Those
    that had ended when they were issued, by a clock that is wrong here or there, are used as they are.
    """

    def __init__(self, ask: Ask, clock: Callable[[], datetime] = now) -> None:
        self._ask, self._clock = ask, clock
        self._lock = threading.Lock()
        self._held: RegistryCredentials | None = None
        self._asked: datetime | None = None

    @classmethod
    def of(cls, credentials: RegistryCredentials | None) -> Self:
        """A login that has these, and no others."""
        return cls(lambda: credentials)

    def current(self) -> RegistryCredentials | None:
        """What opens the registry now; None where nothing is needed. Raises what `ask` raises."""
        with self._lock:
            if self._asked is None:
                return self._renew()
            if self._held and self._held.expires_at and self._ends_soon(self._held.expires_at):
                try:
                    return self._renew()
                except Transient:
                    if self._held.expires_at <= self._clock():
                        raise
            return self._held

    def lasting(self, seconds: float) -> RegistryCredentials | None:
        """What opens the registry, where it will for so many seconds more; None where it is to be asked for again then.

        Raises what `ask` raises.
        """
        held = self.current()
        with self._lock:
            if held is None or held.expires_at is None or held.expires_at <= (self._asked or self._clock()):
                return held
            return held if held.expires_at > self._clock() + timedelta(seconds=seconds) else None

    def other_than(self, refused: RegistryCredentials, *, old: bool = False) -> RegistryCredentials | None:
        """Credentials in place of `refused`, which the registry did not take; None where there are no others.

        With `old` new ones are asked for only where the refused are not new: their refusal may have another reason.
        """
        with self._lock:
            if self._held == refused and not (old and self._age() < _NEW):
                self._renew()
            return self._held if self._held != refused else None

    def _renew(self) -> RegistryCredentials | None:
        self._held = self._ask()
        self._asked = self._clock()
        return self._held

    def _age(self) -> timedelta:
        return self._clock() - (self._asked or self._clock())

    def _ends_soon(self, end: datetime) -> bool:
        asked = self._asked or end
        life = end - asked
        if life <= timedelta(0):
            return False
        margin = min(max(_AT_LEAST, life / _PART), life / 2)
        return self._clock() >= end - margin


def renewing(login: Login, act: Callable[[], T]) -> T:
    """What `act` comes to; once more where the registry refused credentials and `login` has others by now.

    It is for what hands them to somebody who keeps them: a build that takes hours.
    """
    used = login.current()
    try:
        return act()
    except ArgosyError as error:
        refused = _REFUSED.search(error.message)
        if not (used and refused and login.other_than(used, old=refused["denied"] is not None)):
            raise
        log.info("the registry refused credentials that are no longer the current ones; once more: %s", error)
    return act()
