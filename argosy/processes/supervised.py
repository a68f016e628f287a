"""A command with its input and output streamed, its time bounded, and nothing of it left whatever happens."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, BinaryIO, cast

from argosy.processes.groups import process_group, send
from argosy.redact import Lines

_POLL = 0.1
_GRACE = 2.0


def run(
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    write: Callable[[BinaryIO], None],
    on_line: Callable[[str], None],
    log: Path,
    timeout: float,
) -> int:
    """Run `command` and return its exit status, below zero for a signal.

    `write` gets its standard input, in a thread; `on_line` every line that it prints, and `log` all of them. On
    TimedOut after `timeout` seconds, on any error of `write` or `on_line`, and on any exception in this thread,
    its process group is ended before the exception goes on, and before the end of its input: half an input never
    looks like a whole one. Raises Cancelled when the run's work is to end; the group never outlives this process.
    """
    with process_group() as group:
        process = subprocess.Popen(
            command, env=dict(environment), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            cwd=log.parent, process_group=group,
        )  # fmt: skip
        feeder = _Feeder(cast("IO[bytes]", process.stdin), write)
        try:
            feeder.start()
            with log.open("wb") as record:
                lines = _Lines(on_line, record)
                try:
                    _follow(process, feeder, lines, time.monotonic() + timeout)
                except BaseException:
                    lines.give_up()
                    raise
        except BaseException:
            _end(process.pid, group)
            raise
        finally:
            send(group, signal.SIGKILL)
            process.wait()
            feeder.finish()
            cast("IO[bytes]", process.stdout).close()
    feeder.check()
    return process.returncode


class TimedOut(Exception):
    """The command did not end in time, and was ended."""


class _ReaderGone(BrokenPipeError):
    """The command reads no more of its input."""


class _Input:
    """A command's input, whose own end is told from that of any other pipe."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self._pipe = pipe

    def write(self, data: bytes) -> int:
        try:
            return self._pipe.write(data)
        except BrokenPipeError as error:
            raise _ReaderGone from error

    def close(self) -> None:
        try:
            self._pipe.close()
        except BrokenPipeError as error:
            raise _ReaderGone from error


class _Feeder:
    """Writes a command's input; the pipe is closed by itself only when all is written."""

    def __init__(self, pipe: IO[bytes], write: Callable[[BinaryIO], None]) -> None:
        self._pipe = _Input(pipe)
        self._write = write
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def _run(self) -> None:
        try:
            self._write(cast("BinaryIO", self._pipe))
            self._pipe.close()
        except _ReaderGone:
            pass  # the command ended before it had read everything, and says itself why
        except BaseException as error:  # noqa: BLE001 - it is raised in the thread that waits for the command
            self._error = error

    def check(self) -> None:
        """Raise what the writing raised."""
        if self._error is not None:
            raise self._error

    def finish(self) -> None:
        """Give the pipe back, once nobody reads it any more."""
        if self._thread.ident is not None:
            self._thread.join(_GRACE)
        with suppress(_ReaderGone):
            self._pipe.close()


class _Lines:
    """Whole lines out of pieces of output."""

    def __init__(self, on_line: Callable[[str], None], record: BinaryIO) -> None:
        self._on_line = on_line
        self._record = record
        self._clean = Lines()
        self._rest = b""

    def add(self, piece: bytes) -> None:
        *lines, self._rest = (self._rest + piece).split(b"\n")
        for line in lines:
            clean = self._cleaned(line)
            self._record.write(clean + b"\n")
            self._on_line(clean.decode(errors="replace").rstrip("\r"))

    def end(self) -> None:
        if self._rest:
            self.add(b"\n")

    def give_up(self) -> None:
        """Put the line that was never ended on record: it may say what the command waited for."""
        self._record.write(self._cleaned(self._rest))

    def _cleaned(self, line: bytes) -> bytes:
        return self._clean(line.decode(errors="surrogateescape")).encode(errors="surrogateescape")


def _follow(process: subprocess.Popen[bytes], feeder: _Feeder, lines: _Lines, deadline: float) -> None:
    output = cast("IO[bytes]", process.stdout).fileno()
    with selectors.DefaultSelector() as selector:
        selector.register(output, selectors.EVENT_READ)
        while True:
            feeder.check()
            if time.monotonic() > deadline:
                raise TimedOut
            # Asked first: what it wrote before its end is in the pipe by then, and is read before we go.
            ended = _ended(process.pid)
            # Short waits: an exception that another thread sends to this one arrives between two of them.
            if selector.select(0 if ended else _POLL):
                piece = os.read(output, 65536)
                if not piece:
                    break
                lines.add(piece)
            elif ended:  # and something that it started holds its output open
                break
    lines.end()
    while not _ended(process.pid):  # it closed its output first
        feeder.check()
        if time.monotonic() > deadline:
            raise TimedOut
        time.sleep(_POLL / 10)


def _end(pid: int, group: int) -> None:
    """Ask the group to end, and give its command `pid` time for it."""
    send(group, signal.SIGTERM)
    deadline = time.monotonic() + _GRACE
    while not _ended(pid) and time.monotonic() < deadline:
        time.sleep(_POLL / 10)


def _ended(pid: int) -> bool:
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
