"""A program that is run for what it prints: its time and its output bounded, nothing of it left whatever happens."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from argosy.processes.groups import process_group, send
from argosy.processes.supervised import TimedOut

_POLL = 0.1
_ERRORS = 64 * 1024


class TooMuch(Exception):
    """The program printed more than it may, and was ended."""


@dataclass(frozen=True, slots=True)
class Captured:
    """A program that has ended: its exit status, what it printed, and the last 64 KiB of its standard error."""

    status: int
    output: bytes
    errors: bytes


def capture(
    command: Sequence[str], *, environment: Mapping[str, str], folder: Path, timeout: float, largest: int
) -> Captured:
    """Run `command` in `folder`, with that environment alone and no input.

    Raises TimedOut after `timeout` seconds, TooMuch where it prints more than `largest` bytes, OSError where it cannot
    be run, and Cancelled where the run's work is to end. Nothing that it started outlives the call, or this process.
    """
    with process_group(own=True) as group:
        process = subprocess.Popen(
            command, env=dict(environment), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            cwd=folder, process_group=group,
        )  # fmt: skip
        with process:
            try:
                deadline = time.monotonic() + timeout
                output, errors = _read(process, deadline, largest)
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired as error:
                raise TimedOut from error
            finally:
                send(group, signal.SIGKILL)
        return Captured(process.returncode, output, errors)


def _read(process: subprocess.Popen[bytes], deadline: float, largest: int) -> tuple[bytes, bytes]:
    """What it prints until both its outputs are closed, or it has ended and there is nothing left in them."""
    found = bytearray(), bytearray()
    with selectors.DefaultSelector() as selector:
        for stream, into in zip((process.stdout, process.stderr), found, strict=True):
            selector.register(_open(stream), selectors.EVENT_READ, into)
        while selector.get_map():
            if time.monotonic() > deadline:
                raise TimedOut
            ended = process.poll() is not None  # asked first: what it wrote before its end is in the pipes by then
            ready = selector.select(0 if ended else _POLL)
            if ended and not ready:  # something that it started holds them open
                break
            for key, _ in ready:
                piece = os.read(key.fd, 65536)
                if not piece:
                    selector.unregister(key.fileobj)
                key.data.extend(piece)
            if len(found[0]) > largest:
                raise TooMuch
            del found[1][:-_ERRORS]
    return bytes(found[0]), bytes(found[1])


def _open(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise AssertionError("the program was started without pipes")
    return stream
