"""Process groups of which nothing is left: not at their end, not when the run is cancelled, not after SIGKILL."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import partial

from argosy.processes import cancellation

# It leads the group, so that whoever is in it is in reach from the first moment on, and reads a pipe that only this
# process writes to: the kernel closes it however this process ends. PR_SET_PDEATHSIG would reach the client alone,
# and not what that has started.
# A shell, since each build and each transfer has one: another Python would take twenty times as long to start.
_GUARD = ("/bin/sh", "-c", 'trap "" TERM; read -r _; kill -KILL 0')
_GONE_SECONDS = 1.0


# A context, not a global: another thread's commands are in no group of ours.
_SHARED: ContextVar[int | None] = ContextVar("argosy_process_group", default=None)


@contextmanager
def shared_group() -> Iterator[None]:
    """Let every `process_group` of the block be one and the same: a group takes a moment to be made."""
    with process_group() as group:
        token = _SHARED.set(group)
        try:
            yield
        finally:
            _SHARED.reset(token)


@contextmanager
def process_group(*, own: bool = False) -> Iterator[int]:
    """A process group, for `Popen(process_group=...)`, whose processes are killed at the end of the block.

    With `own` it is nobody else's, in a block of `shared_group` either.

    They are killed too when this process ends in whatever way, and when the work is cancelled: then the block ends
    with Cancelled. The caller waits for those that it started itself.
    """
    if not own and (shared := _SHARED.get()) is not None:
        yield shared
        return
    quiet = subprocess.DEVNULL
    with subprocess.Popen(_GUARD, stdin=subprocess.PIPE, stdout=quiet, stderr=quiet, env={}, process_group=0) as guard:
        try:
            with cancellation.ending(partial(send, guard.pid, signal.SIGKILL)):
                yield guard.pid
        finally:
            send(guard.pid, signal.SIGKILL)  # its leader is not reaped yet, so that the id is still its own
            guard.wait()
            _await_gone(guard.pid)


def send(group: int, number: int) -> None:
    """Send a signal to every process of the group that is left."""
    with suppress(ProcessLookupError, PermissionError):  # macOS says the latter of a group of zombies
        os.killpg(group, number)


def _await_gone(group: int) -> None:
    """Wait for what was killed to be gone: what the group's commands started is not ours to wait for."""
    deadline = time.monotonic() + _GONE_SECONDS
    with suppress(ProcessLookupError, PermissionError):
        while time.monotonic() < deadline:
            os.killpg(group, 0)
            time.sleep(0.001)
