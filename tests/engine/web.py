"""A small HTTP server on 127.0.0.1 that answers by a function, for what a real registry cannot be made to say."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Request:
    """What was asked; `path` has the query."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Answer:
    """What is answered; None as `status` cuts the connection without a word."""

    status: int | None
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


@contextmanager
def served(answer: Callable[[Request], Answer], context: ssl.SSLContext | None = None) -> Iterator[str]:
    """Serve `answer` and yield `127.0.0.1:PORT`; with TLS where there is a `context`."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 10

        def respond(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {key.lower(): value for key, value in self.headers.items()}
            given = answer(Request(self.command, self.path, headers, body))
            self.close_connection = True
            if given.status is None:
                return
            self.send_response(given.status)
            for key, value in {**given.headers, "Connection": "close", "Content-Length": str(len(given.body))}.items():
                self.send_header(key, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(given.body)

        do_GET = do_HEAD = do_PUT = do_POST = respond  # noqa: N815 -- the names are those of the base class

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            """A client that breaks off is part of the tests."""

    server = Server(("127.0.0.1", 0), Handler)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
