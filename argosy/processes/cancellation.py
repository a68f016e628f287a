"""Telling work in other threads that it is to end: no signal arrives there, and no exception of the main thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from argosy.errors import Terminal


class Cancelled(Terminal):
    """The run was told to end, and its work with it; the next run does what is left."""


def _cancelled() -> Cancelled:
    return Cancelled("the run was told to end", remedy="nothing: the next run does what is left")


class _Scope:
    """What ends together: those who wait on `asked`, and those who left a way to end them."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self._lock = threading.Lock()
        self._enders: list[Callable[[], None]] = []

    def ask(self) -> None:
        with self._lock:
            self.asked.set()
            for end in self._enders:
                end()

    @contextmanager
    def ending(self, end: Callable[[], None]) -> Iterator[None]:
        with self._lock:
            if self.asked.is_set():
                raise _cancelled()
            self._enders.append(end)
        try:
            yield
        finally:
            with self._lock:
                self._enders.remove(end)
        if self.asked.is_set():
            raise _cancelled()


# A context, not a global: threads that are started with a copy of it belong to the run that started them.
_SCOPE: ContextVar[_Scope] = ContextVar("argosy_cancellation", default=_Scope())  # noqa: B039 - that one is never asked


@contextmanager
def scope() -> Iterator[None]:
    """Let all that is begun within, in copies of this context too, end as soon as an exception leaves the block.

    A signal's exception among them: it arrives in the main thread alone.
    """
    mine = _Scope()
    token = _SCOPE.set(mine)
    try:
        yield
    except BaseException:
        mine.ask()
        raise
    finally:
        _SCOPE.reset(token)


def wait(seconds: float) -> bool:
    """Wait so long, but not longer than until the work is to end; whether it is."""
    return _SCOPE.get().asked.wait(seconds)


def sleep(seconds: float) -> None:
    """Wait so long. Raises Cancelled as soon as the work is to end."""
    if wait(seconds):
        raise _cancelled()


@contextmanager
def ending(end: Callable[[], None]) -> Iterator[None]:
    """Have `end` called, in another thread, if the work is to end during the block.

    Raises Cancelled at the beginning where that is so already, and at the end where it came to that.
    """
    with _SCOPE.get().ending(end):
        yield
