"""A circuit breaker for one endpoint: what keeps failing is left alone for a while, and who asks learns it at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta

import pybreaker

from argosy.errors import CircuitOpen, Unwell
from argosy.resilience import DEFAULT_BREAKER, BreakerPolicy

Judge = Callable[[BaseException], bool]


def unwell(error: BaseException) -> bool:
    """Whether `error` means that its endpoint is ill: no answer, or 5xx; neither a refusal nor a full queue is."""
    return isinstance(error, Unwell)


class Breaker:
    """The breaker of `endpoint`; one for all threads of a run. `clock` is in seconds, and never goes back.

    Closed, it lets every call through and counts those in a row that its judge calls ill; at `policy.failures` it
    opens. Open, it refuses every call with CircuitOpen until `policy.delay` is over; then it lets a single one through,
    whose outcome closes it or opens it anew. What is neither a success nor an illness changes nothing.
    """

    def __init__(
        self, endpoint: str, policy: BreakerPolicy = DEFAULT_BREAKER, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.endpoint, self._policy, self._clock = endpoint, policy, clock
        self._memory = _Memory(clock)
        # It never runs a call itself, which it would do one at a time: it is told how each ended.
        self._circuit = pybreaker.CircuitBreaker(
            policy.failures, policy.delay, state_storage=self._memory, throw_new_error_on_trip=False
        )
        self._lock = threading.Lock()
        self._probing = False
        self._last = ""

    @property
    def open(self) -> bool:
        """Whether a call would be refused now."""
        with self._lock:
            return self._refuses()

    def check(self) -> None:
        """Raise CircuitOpen where a call would be refused now."""
        with self._lock:
            if self._refuses():
                raise self._refusal()

    @contextmanager
    def guard(self, ill: Judge = unwell) -> Iterator[None]:
        """Make a call within the block; raises CircuitOpen before it where the endpoint is to be left alone."""
        probes = self._enter()
        try:
            with self.watch(ill):
                yield
        finally:
            if probes:
                with self._lock:
                    self._probing = False

    @contextmanager
    def watch(self, ill: Judge = unwell) -> Iterator[None]:
        """Count the outcome of the block, which is begun in any case: a build, say, that ends in a push."""
        try:
            yield
        except BaseException as error:
            if ill(error):
                self._tell(error)
            raise
        self._tell(None)

    def _enter(self) -> bool:
        """Let a call in, and say whether it is the one that finds out if the endpoint is well again."""
        with self._lock:
            if self._refuses():
                raise self._refusal()
            self._probing = self._tripped()
            return self._probing

    def _tell(self, error: BaseException | None) -> None:
        def outcome() -> None:
            if error is not None:
                raise _Ill

        with self._lock, suppress(pybreaker.CircuitBreakerError, _Ill):
            self._last = str(error) if error else self._last
            self._circuit.call(outcome)

    def _refuses(self) -> bool:
        return self._tripped() and (self._probing or self._memory.seconds_open < self._policy.delay)

    def _tripped(self) -> bool:
        return self._circuit.current_state != pybreaker.STATE_CLOSED

    def _refusal(self) -> CircuitOpen:
        return CircuitOpen(
            f"{self.endpoint} is left alone; failures in a row: {self._policy.failures}, the last: {self._last}",
            remedy=f"see whether it is down; it is asked again {self._policy.delay:g} s later, and by the next run",
        )


class _Ill(Exception):
    """What the library is told of an illness."""


class _Memory(pybreaker.CircuitMemoryStorage):
    """Keeps the moment of the opening by a clock that no correction of the time moves."""

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__(pybreaker.STATE_CLOSED)
        self._clock, self._since = clock, clock()

    @property
    def seconds_open(self) -> float:
        return self._clock() - self._since

    @property
    def opened_at(self) -> datetime:
        return datetime.now(UTC) - timedelta(seconds=self.seconds_open)

    @opened_at.setter
    def opened_at(self, _now: datetime) -> None:
        self._since = self._clock()
