"""A way to an HTTP server on which faults happen: told which requests to answer itself, to cut off, or to garble."""

from __future__ import annotations

import re
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_TLS = b"\x16"
_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length"}


@dataclass
class Fault:
    """What happens to the next `times` requests of a `method` and `path` (regular expressions; the path is searched).

    With a `status` the proxy answers itself, with `headers` and `body`. Otherwise the connection is `cut`: "before" the
    request goes on, or "inside" of the answer, half of whose bytes get through.
    """

    status: int | None = None
    cut: str = "before"
    method: str = ".*"
    path: str = ""
    times: int = 1
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b'{"errors": [{"code": "UNAVAILABLE", "message": "a fault of the test\'s"}]}'

    def meets(self, method: str, path: str) -> bool:
        """Whether it happens to this request."""
        return self.times > 0 and bool(re.fullmatch(self.method, method)) and bool(re.search(self.path, path))


@dataclass(frozen=True)
class Asked:
    """One request that reached the proxy, and what came of it; None where the connection was cut.

    `action` is what a request to AWS wants done.
    """

    method: str
    path: str
    status: int | None
    action: str = ""


class FaultProxy:
    """What a test knows of the proxy at `host` (`127.0.0.1:PORT`): its faults to come, and the requests so far.

    Headers of requests that are `withheld`, in lower case, do not go on.
    """

    def __init__(self, host: str) -> None:
        self.host = host
        self.withheld: frozenset[str] = frozenset()
        self.asked: list[Asked] = []
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, *faults: Fault) -> None:
        """Let these happen, the earlier ones first."""
        with self._lock:
            self._faults.extend(faults)

    def clear(self) -> None:
        """Let no fault happen any more, and forget what was asked."""
        with self._lock:
            self._faults.clear()
            self.asked.clear()

    def next_fault(self, method: str, path: str) -> Fault | None:
        """The fault that happens to this request, taken off its number."""
        with self._lock:
            for fault in self._faults:
                if fault.meets(method, path):
                    fault.times -= 1
                    return fault
        return None

    def note(self, asked: Asked) -> None:
        """Remember that this was asked."""
        with self._lock:
            self.asked.append(asked)


class _Handler(BaseHTTPRequestHandler):
    """What becomes of one connection."""

    protocol_version = "HTTP/1.1"
    timeout = 30
    server: _Server

    def handle(self) -> None:
        # dockerd and BuildKit try TLS first, and speak plainly to whoever answers so at once.
        if self.connection.recv(1, socket.MSG_PEEK) != _TLS:
            super().handle()
        else:
            self.connection.sendall(b"HTTP/1.0 400 Bad Request\r\n\r\n")

    def respond(self) -> None:
        body = self._body()
        fault = self.server.proxy.next_fault(self.command, self.path)
        if fault and fault.status:
            self._note(fault.status)
            self._answer(fault.status, fault.headers, fault.body)
        elif fault and fault.cut == "before":
            self._note(None)
            self._reset()
        else:
            self._pass_on(body, cut=fault is not None)

    do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = do_DELETE = respond  # noqa: N815 - the names of the base class

    def _note(self, status: int | None) -> None:
        action = self.headers.get("X-Amz-Target", "").rpartition(".")[2]
        self.server.proxy.note(Asked(self.command, self.path, status, action))

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        pieces = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(pieces)

    def _pass_on(self, body: bytes, *, cut: bool) -> None:
        connection = HTTPConnection(self.server.upstream(), timeout=30)
        try:
            kept = _HOP | self.server.proxy.withheld
            headers = {key: value for key, value in self.headers.items() if key.lower() not in kept}
            connection.request(self.command, self.path, body, headers)
            answer = connection.getresponse()
            content, length = answer.read(), answer.headers.get("Content-Length")
        except (OSError, HTTPException):  # it is away
            self._note(None)
            self._reset()
            return
        finally:
            connection.close()
        self._note(None if cut else answer.status)
        self._answer(answer.status, dict(answer.headers), content, length=length, cut=cut)

    def _answer(
        self, status: int, headers: Mapping[str, str], body: bytes, *, length: str | None = None, cut: bool = False
    ) -> None:
        self.send_response(status)
        for key, value in headers.items():
            if key.lower() not in _HOP:
                self.send_header(key, value)
        self.send_header("Content-Length", length or str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body[: len(body) // 2] if cut else body)
        if cut:
            self.wfile.flush()
            self._reset()

    def _reset(self) -> None:
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def finish(self) -> None:
        if self.connection.fileno() != -1:
            super().finish()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    def __init__(self, upstream: Callable[[], str]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream, self.proxy = upstream, FaultProxy(f"127.0.0.1:{self.server_port}")

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that breaks off is part of the tests."""

    def shutdown_request(self, request: socket.socket | tuple[bytes, socket.socket]) -> None:
        if isinstance(request, socket.socket) and request.fileno() != -1:
            super().shutdown_request(request)


@contextmanager
def faulty(upstream: Callable[[], str]) -> Iterator[FaultProxy]:
    """A proxy to the server at `upstream()`, `HOST:PORT`."""
    server = _Server(upstream)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.proxy
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
