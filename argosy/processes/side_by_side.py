"""Many questions at once, whose threads belong to the run that asks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from typing import TypeVar

from argosy.processes import cancellation

T = TypeVar("T")
R = TypeVar("R")

_AT_ONCE = 8


def answers(ask: Callable[[T], R], items: Iterable[T]) -> list[R]:
    """What `ask` says of each item, in their order; it is called in threads. Raises what one of them raised.

    What waits in those threads ends as soon as an exception, a signal's say, leaves this one.
    """
    # The scope is inside: the pool waits for its threads, and they are told before.
    with ThreadPoolExecutor(_AT_ONCE) as pool, cancellation.scope():
        asked = [pool.submit(copy_context().run, ask, item) for item in items]
        try:
            return [each.result() for each in asked]
        finally:
            for each in asked:
                each.cancel()


@contextmanager
def beside(act: Callable[[], R]) -> Iterator[Callable[[], R]]:
    """Have `act` done in a thread beside the block, which gets what waits for it: that returns, or raises, as it did.

    The end of the block waits too, and raises nothing of it.
    """
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(copy_context().run, act).result
