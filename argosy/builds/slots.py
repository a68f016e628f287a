"""How many builds of a run go on at once."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from argosy.processes import cancellation

_POLL = 0.1


class Slots:
    """Places for work, so many under each name at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken: defaultdict[str, int] = defaultdict(int)

    @contextmanager
    def one(self, name: str, bound: int | None) -> Iterator[None]:
        """Wait for one of the `bound` places of `name`, and keep it for the block; without a bound nobody waits.

        Raises Cancelled as soon as the run's work is to end.
        """
        while not self._take(name, bound):
            cancellation.sleep(_POLL)
        try:
            yield
        finally:
            with self._lock:
                self._taken[name] -= 1

    def _take(self, name: str, bound: int | None) -> bool:
        with self._lock:
            free = bound is None or self._taken[name] < bound
            self._taken[name] += free
            return free
