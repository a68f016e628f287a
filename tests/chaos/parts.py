"""Parts of the stack that hang, are away, or cannot be reached for a while."""

from __future__ import annotations

import os
import signal
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

from deployments.local.part import Part
from deployments.local.process import Process, free_port

_PIECE = 65536


@contextmanager
def frozen(part: Part) -> Iterator[None]:
    """Let the part neither answer nor end, as a machine that hangs: its port takes connections, and that is all."""
    process: Process = part._process  # type: ignore[attr-defined]
    group = process.pid or 0
    os.killpg(group, signal.SIGSTOP)
    try:
        yield
    finally:
        os.killpg(group, signal.SIGCONT)


class Absent:
    """Where a part was: every connection is reset, and `asked` says whether there was one."""

    def __init__(self, port: int) -> None:
        self._listener = socket.create_server(("127.0.0.1", port))
        self._asked = threading.Event()
        self._thread = threading.Thread(target=self._refuse)
        self._thread.start()

    def asked(self) -> bool:
        return self._asked.is_set()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def _refuse(self) -> None:
        with suppress(OSError):  # it was closed
            while True:
                connection, _ = self._listener.accept()
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                connection.close()
                self._asked.set()


@contextmanager
def absent(part: Part, url: str) -> Iterator[Absent]:
    """Stop the part that is reached at `url`, and start it again there, with what it kept."""
    part.stop()
    stand_in = Absent(urlsplit(url).port or 0)
    try:
        yield stand_in
    finally:
        stand_in.close()
        part.start()


class Gate:
    """A way to the part at `url` that is closed until it is opened: nobody listens, and connections are refused.

    It is for a part that cannot be stopped, as it forgets everything then.
    """

    def __init__(self, url: str) -> None:
        self._to, self._port = ("127.0.0.1", urlsplit(url).port or 0), free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self._listener: socket.socket | None = None

    def open(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", self._port))
        _in_background(self._serve, self._listener)

    def close(self) -> None:
        if self._listener:
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()

    def _serve(self, listener: socket.socket) -> None:
        with suppress(OSError):  # it was closed
            while True:
                client, _ = listener.accept()
                _in_background(_carry, client, socket.create_connection(self._to))


def _in_background(target: Callable[..., None], *arguments: socket.socket) -> threading.Thread:
    thread = threading.Thread(target=target, args=arguments, daemon=True)
    thread.start()
    return thread


def _carry(client: socket.socket, server: socket.socket) -> None:
    with client, server:
        back = _in_background(_pass_on, server, client)
        _pass_on(client, server)
        back.join()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):  # one side has gone
        while piece := source.recv(_PIECE):
            target.sendall(piece)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


@contextmanager
def closed_gate(url: str) -> Iterator[Gate]:
    """A gate to the part at `url`, closed at first; at the end it lets nobody in any more."""
    gate = Gate(url)
    try:
        yield gate
    finally:
        gate.close()
