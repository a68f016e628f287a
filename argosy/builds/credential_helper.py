"""A helper program for docker clients: it asks this process for a registry's credentials whenever they are needed."""

from __future__ import annotations

import json
import os
import select
import shlex
import socket
import sys
import threading
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from argosy.registries.login import Login

PREFIX = "docker-credential-"
"""How the file names of helper programs begin, which docker looks for on its path."""

_PATIENCE = 10.0  # seconds
# A socket's path may have about a hundred characters, so it is named from within its folder.
_PROGRAM = """\
#!/bin/sh
[ "$1" = get ] || exit 1
cd {folder} && exec {python} -IS -c {ask} {name}
"""
_ASK = """\
import socket, sys
sys.stdin.readline()
try:
    with socket.socket(socket.AF_UNIX) as asked:
        asked.connect(sys.argv[1])
        answer = asked.makefile(encoding="utf-8").read()
except OSError:
    answer = ""
print(answer or "Argosy could not renew the credentials")
sys.exit(not answer)
"""


class CredentialHelper(AbstractContextManager["CredentialHelper"]):
    """Hands out what `login` is at that moment, for `server` in docker's words, to each who asks at `path`.

    `path` is free, in a folder of this user's alone; a socket lies there until the end, and nothing of what goes
    through it lies on disk. Any number may ask at once, and once this process is gone they are told so. `failure` is
    why credentials could not be had when somebody asked.
    """

    def __init__(self, path: Path, server: str, login: Login) -> None:
        self.failure: Exception | None = None
        self._path, self._server, self._login = path, server, login
        self._asked = socket.socket(socket.AF_UNIX)
        self._closing, self._closed = socket.socketpair()
        self._thread = threading.Thread(target=self._serve, name=f"credentials of {server}")

    @property
    def program(self) -> bytes:
        """The helper program, which speaks docker's protocol; it holds no secret."""
        words = {"folder": str(self._path.parent), "python": sys.executable, "ask": _ASK, "name": self._path.name}
        return _PROGRAM.format_map({key: shlex.quote(word) for key, word in words.items()}).encode()

    def __enter__(self) -> Self:
        _bind(self._asked, self._path)
        self._asked.listen()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.close()
        self._thread.join()
        self._closed.close()
        self._asked.close()
        self._path.unlink()

    def _serve(self) -> None:
        ready = select.poll()
        ready.register(self._asked, select.POLLIN)
        ready.register(self._closed, select.POLLIN)
        while self._closed.fileno() not in dict(ready.poll()):
            customer, _ = self._asked.accept()
            with customer, suppress(OSError):  # one who is gone, or does not listen
                customer.settimeout(_PATIENCE)
                customer.sendall(self._answer())

    def _answer(self) -> bytes:
        try:
            user = self._login.current()
        except Exception as error:  # noqa: BLE001 - the thread's outermost edge, and its customer waits for a line
            self.failure = error
            return b""
        if user is None:
            return b""
        secret = user.password.get_secret_value()
        return json.dumps({"ServerURL": self._server, "Username": user.username, "Secret": secret}).encode()


def _bind(listener: socket.socket, path: Path) -> None:
    """Give `listener` its `path`, however long that is where the system has a shorter name for its folder."""
    if sys.platform != "linux":
        listener.bind(str(path))
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        listener.bind(f"/proc/self/fd/{folder}/{path.name}")
    finally:
        os.close(folder)
