"""How often a fault that may pass is tried, and how long is waited in between."""

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
