"""Process groups that are left by nobody: what ends them, and how soon."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextvars import Context, copy_context

import pytest

from argosy.processes import cancellation
from argosy.processes.cancellation import Cancelled
from argosy.processes.groups import process_group
from tests.deployments.waiting import soon

# A client that ignores every polite request, and a child of its own, as docker has its plugin.
_STUBBORN = ["sh", "-c", "trap '' TERM INT HUP; sleep 300 & sleep 300"]
_KILLED = f"""
import subprocess, time
from argosy.processes.groups import process_group
with process_group() as group:
    process = subprocess.Popen({_STUBBORN!r}, process_group=group)
    print(group, flush=True)
    time.sleep(300)
"""


def alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_group_does_not_survive_the_kill_of_the_process_that_made_it() -> None:
    with subprocess.Popen([sys.executable, "-c", _KILLED], stdout=subprocess.PIPE, text=True) as parent:
        group = int((parent.stdout.readline() if parent.stdout else "") or 0)
        assert alive(group)
        parent.send_signal(signal.SIGKILL)
    soon(lambda: alive(group), expected=False)


def interrupted(begin: Callable[[Context], None]) -> Context:
    """The context of a scope in which `begin` was called, and which Ctrl-C left."""
    contexts: list[Context] = []

    def inside() -> None:
        with cancellation.scope():
            contexts.append(copy_context())
            begin(contexts[0])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        inside()
    return contexts[0]


def test_a_group_ends_with_its_block_and_nothing_of_it_stays() -> None:
    with process_group() as group, subprocess.Popen(_STUBBORN, process_group=group) as process:
        os.killpg(group, signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
    soon(lambda: alive(group), expected=False)  # what nobody waits for stays until init does


def test_what_other_threads_run_ends_when_an_exception_leaves_the_scope() -> None:
    ended: list[type[BaseException]] = []
    running = threading.Event()

    def work() -> None:
        try:
            with process_group() as group, subprocess.Popen(_STUBBORN, process_group=group) as process:
                running.set()
                process.wait()
        except Cancelled as error:
            ended.append(type(error))

    threads: list[threading.Thread] = []

    def begin(context: Context) -> None:
        threads.append(threading.Thread(target=context.run, args=(work,)))
        threads[0].start()
        running.wait()

    interrupted(begin)
    threads[0].join(10)
    assert ended == [Cancelled]


def test_waiting_ends_with_the_scope_and_nothing_begins_after_it() -> None:
    began = time.monotonic()
    context = interrupted(lambda _context: None)
    with pytest.raises(Cancelled):
        context.run(cancellation.sleep, 300)
    with pytest.raises(Cancelled):
        context.run(lambda: process_group().__enter__())
    assert time.monotonic() - began < 10


def test_a_scope_that_ends_well_ends_nothing_and_is_no_other_scopes_affair() -> None:
    with cancellation.scope():
        inner = copy_context()
    assert not inner.run(cancellation.wait, 0)
    interrupted(lambda _context: None)
    assert not cancellation.wait(0)
