"""Smart HTTP for git: basic authentication in front of `git http-backend`, streamed both ways.

Run as `python -m deployments.local.git_http PORT FOLDER`, with users and passwords as JSON on standard input.
"""

from __future__ import annotations

import hmac
import json
import subprocess
import sys
import threading
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Iterator, Mapping
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedReader, BufferedWriter
from pathlib import Path
from typing import ClassVar, cast

from pydantic import SecretStr

from deployments.local.process import environment

_PIECE = 64 * 1024


class GitHandler(BaseHTTPRequestHandler):
    """One connection of a git client."""

    protocol_version = "HTTP/1.1"
    # An answer is several small writes: Nagle would keep each until the one before is acknowledged, for 40 ms.
    disable_nagle_algorithm = True
    repositories: ClassVar[Path]
    backend: ClassVar[str]
    users: ClassVar[Mapping[str, SecretStr]]

    def do_GET(self) -> None:
        """What references there are."""
        self._answer()

    def do_POST(self) -> None:
        """A fetch or a push."""
        self._answer()

    def _answer(self) -> None:
        user = self._user()
        if user is None:
            self._ask_who()
        else:
            self._run(user)

    def _user(self) -> str | None:
        scheme, _, encoded = self.headers.get("Authorization", "").partition(" ")
        try:
            user, _, password = b64decode(encoded).decode().partition(":")
        except (NotBase64, UnicodeDecodeError):
            return None
        known = self.users.get(user)
        if scheme.lower() != "basic" or known is None:
            return None
        return user if hmac.compare_digest(known.get_secret_value().encode(), password.encode()) else None

    def _ask_who(self) -> None:
        self.send_response(HTTPStatus.UNAUTHORIZED)
        self.send_header("WWW-Authenticate", 'Basic realm="git"')
        self.send_header("Content-Length", "0")
        self.send_header("Connection", "close")  # the body of the request was not read
        self.end_headers()

    def _run(self, user: str) -> None:
        pipe = subprocess.PIPE
        with subprocess.Popen([self.backend], stdin=pipe, stdout=pipe, env=self._environment(user)) as backend:
            # The backend may answer before it has read everything: neither side may wait for the other.
            feeder = threading.Thread(target=self._feed, args=(backend.stdin,))
            feeder.start()
            self._relay(cast("BufferedReader", backend.stdout))
            feeder.join()

    def _environment(self, user: str) -> dict[str, str]:
        path, _, query = self.path.partition("?")
        return environment(
            self.repositories.parent,
            GIT_PROJECT_ROOT=str(self.repositories),
            GIT_HTTP_EXPORT_ALL="1",
            GIT_CONFIG_NOSYSTEM="1",
            REQUEST_METHOD=self.command,
            PATH_INFO=path,
            QUERY_STRING=query,
            REMOTE_USER=user,
            REMOTE_ADDR="127.0.0.1",
            CONTENT_TYPE=self.headers.get("Content-Type", ""),
            CONTENT_LENGTH=self.headers.get("Content-Length", ""),
            HTTP_CONTENT_ENCODING=self.headers.get("Content-Encoding", ""),
            GIT_PROTOCOL=self.headers.get("Git-Protocol", ""),
        )

    def _feed(self, stdin: BufferedWriter) -> None:
        pieces = self._body()
        with suppress(OSError, ValueError):  # the client went away: the backend sees the body end early and refuses it
            with suppress(BrokenPipeError), stdin:
                for piece in pieces:
                    stdin.write(piece)
            for _ in pieces:  # what the backend did not want: else the next request would begin in its middle
                pass

    def _body(self) -> Iterator[bytes]:
        if "chunked" not in self.headers.get("Transfer-Encoding", "").lower():
            yield from self._read(int(self.headers.get("Content-Length") or 0))
            return
        while size := int(self.rfile.readline().split(b";")[0], 16):
            yield from self._read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():  # trailers
            pass

    def _read(self, left: int) -> Iterator[bytes]:
        while left:
            piece = self.rfile.read(min(left, _PIECE))
            if not piece:
                raise ConnectionError("the client went away")
            left -= len(piece)
            yield piece

    def _relay(self, stdout: BufferedReader) -> None:
        headers = dict(_headers(stdout))
        self.send_response(int(headers.pop("Status", "200").split()[0]))
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        while piece := stdout.read1(_PIECE):
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")


def _headers(stdout: BufferedReader) -> Iterator[tuple[str, str]]:
    while line := stdout.readline().decode().strip():
        name, _, value = line.partition(":")
        if name.lower() not in ("content-length", "connection"):
            yield name, value.strip()


def main() -> None:
    """Read the users from standard input and serve."""
    port, folder = sys.argv[1:]
    GitHandler.repositories = Path(folder)
    # By its path: git, asked for it, would be one more process for each request.
    asked = subprocess.run(["git", "--exec-path"], check=True, capture_output=True, text=True)
    GitHandler.backend = str(Path(asked.stdout.strip()) / "git-http-backend")
    GitHandler.users = {user: SecretStr(password) for user, password in json.load(sys.stdin).items()}
    ThreadingHTTPServer(("127.0.0.1", int(port)), GitHandler).serve_forever()


if __name__ == "__main__":
    main()
