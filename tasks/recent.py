"""What was had a moment ago, for the many tasks of a run that ask for the same thing side by side."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from typing import Any, TypeVar, cast

T = TypeVar("T")


class Recent:
    """Keeps each value for `seconds` of `clock`; threads that ask for one at the same time make it once."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds, self._clock = seconds, clock
        self._lock = threading.Lock()
        self._kept: dict[Hashable, tuple[float, Any]] = {}

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """The value of `key`, from `make` where there is none or it is too old; what `make` raises is not kept."""
        with self._lock:
            oldest = self._clock() - self._seconds
            self._kept = {name: kept for name, kept in self._kept.items() if kept[0] > oldest}
            if key not in self._kept:
                value = make()
                self._kept[key] = self._clock(), value
            return cast("T", self._kept[key][1])
