"""How often a fault that may pass is tried, how long is waited in between, and when an endpoint counts as ill."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Retry:
    """Exponential backoff: `max_attempts` in all; the first delay is `initial_delay` seconds, each next one longer."""

    max_attempts: int = 3
    backoff_factor: float = 2.0
    initial_delay: float = 5.0

    def delay(self, attempt: int) -> float:
        """The seconds between attempt number `attempt`, from 1, and the next one."""
        return float(self.initial_delay * self.backoff_factor ** (attempt - 1))


DEFAULT_RETRY = Retry()

QUICK_RETRY = Retry(initial_delay=0.5)
"""Within one stage, before Prefect's own retries: what a registry's restart or a lost connection takes."""

ONCE = Retry(max_attempts=1)
"""No second attempt."""


@dataclass(frozen=True, slots=True)
class BreakerPolicy:
    """After `failures` calls in a row without a proper answer an endpoint is left alone for `delay` seconds."""

    failures: int = 3
    delay: float = 30.0


DEFAULT_BREAKER = BreakerPolicy()
