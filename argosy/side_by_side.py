"""Many questions at once, whose threads belong to the run that asks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

from argosy import cancellation

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
