"""How often a push is tried that others keep beating: backoff with full jitter, bounded by attempts and by time."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from argosy.processes import cancellation


@dataclass(frozen=True, slots=True)
class Patience:
    """At most `max_attempts` in all, of which none begins later than `deadline` seconds after the first.

    Between two of them is a wait of up to `initial_delay` seconds, up to twice as long after each further one, and
    never longer than `max_delay`.
    """

    max_attempts: int = 50
    initial_delay: float = 0.05
    max_delay: float = 1.0
    deadline: float = 300.0

    def ceiling(self, attempt: int) -> float:
        """The longest wait after attempt number `attempt`, from 1, in seconds."""
        doublings = min(attempt - 1, 30)  # beyond, a float would overflow
        return float(min(self.max_delay, self.initial_delay * 2**doublings))


def _drawn(ceiling: float) -> float:
    return random.uniform(0, ceiling)  # noqa: S311 - nobody gains by guessing it


@dataclass(frozen=True, slots=True)
class Pace:
    """The clock that attempts are timed by, in seconds, how to wait, and how a wait is drawn below its ceiling."""

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = cancellation.sleep
    draw: Callable[[float], float] = _drawn

    def attempts(self, patience: Patience) -> Iterator[int]:
        """The numbers of the attempts, from 1, with a wait before each but the first.

        Full jitter, since those who were beaten at one moment must not come back at one moment.
        """
        began = self.clock()
        for attempt in range(1, patience.max_attempts + 1):
            yield attempt
            wait = self.draw(patience.ceiling(attempt))
            if self.clock() + wait - began > patience.deadline:
                return
            if attempt < patience.max_attempts:
                self.sleep(wait)


DEFAULT_PATIENCE = Patience()
DEFAULT_PACE = Pace()
