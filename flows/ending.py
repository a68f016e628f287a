"""How a run ends that is told to: at once, with all of its work, and never later than a worker can bear."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Timer

from prefect.exceptions import TerminationSignal

from argosy.errors import ArgosyError
from argosy.processes import cancellation
from tasks import connections

_SECONDS = 3.0  # of the 5 that a run has, so that a busy machine has some too


@contextmanager
def prompt_end() -> Iterator[None]:
    """What runs in other threads ends with the block that is left by an exception; Prefect would wait for it.

    SIGTERM, which cancelling sends too, arrives as Prefect's own exception in the main thread: a handler of ours in
    front of Prefect's would make it take a cancellation for a crash. The process that got it ends within seconds
    even where a thread hangs in a call that nothing ends: a release may be killed at any instant.
    """
    with cancellation.scope(), closing_connections():
        try:
            with finishing_exports():
                yield
        except TerminationSignal:
            end = Timer(_SECONDS, os._exit, (128 + signal.SIGTERM,))
            end.daemon = True
            end.start()  # first of all, so that no cleaning up can hold it up
            raise


@contextmanager
def finishing_exports() -> Iterator[None]:
    """What builds still export is waited for, however the run went; not where it is told to end."""
    try:
        yield
    except ArgosyError:
        connections.finish_exports()
        raise
    connections.finish_exports()


@contextmanager
def closing_connections() -> Iterator[None]:
    """What the run keeps open for its services, and the secrets for it, go with the block."""
    try:
        yield
    finally:
        connections.forget()
