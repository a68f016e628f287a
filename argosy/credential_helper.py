"""A helper program for docker clients: it asks this process for a registry's credentials whenever they are needed."""

from __future__ import annotations

import json
import os
import select
import threading
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from argosy.registry_login import Login

PREFIX = "docker-credential-"
"""How the file names of helper programs begin, which docker looks for on its path."""

_POLL = 100  # milliseconds
# The shell's own words alone: a secret in the arguments of a program would be for all to see.
_PROGRAM = """\
#!/bin/sh
[ "$1" = get ] || exit 1
read -r answer <'{pipe}'
case $answer in
"{{"*) printf '%s\\n' "$answer" ;;
*) echo 'Argosy could not renew the credentials'; exit 1 ;;
esac
"""


class CredentialHelper(AbstractContextManager["CredentialHelper"]):
    """Hands out what `login` is at that moment, for `server` in docker's words, to each who reads a line of `pipe`.

    `pipe` is a path that is free; nothing of what goes through it lies on disk. `failure` is why credentials could not
    be had when somebody asked.
    """

    def __init__(self, pipe: Path, server: str, login: Login) -> None:
        self.failure: Exception | None = None
        self._pipe, self._server, self._login = pipe, server, login
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._serve, name=f"credentials of {server}")

    @property
    def program(self) -> bytes:
        """The helper program, a shell script that speaks docker's protocol; it holds no secret."""
        return _PROGRAM.format(pipe=self._pipe).encode()

    def __enter__(self) -> Self:
        os.mkfifo(self._pipe, 0o600)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed.set()
        last = os.open(self._pipe, os.O_RDONLY | os.O_NONBLOCK)  # it waits for a reader
        self._thread.join()
        os.close(last)

    def _serve(self) -> None:
        while not self._closed.is_set():
            writer = os.open(self._pipe, os.O_WRONLY)
            try:
                if not self._closed.is_set():
                    self._hand_out(writer)
            finally:
                os.close(writer)

    def _hand_out(self, writer: int) -> None:
        with suppress(BrokenPipeError):
            os.write(writer, self._answer() + b"\n")
        gone = select.poll()
        gone.register(writer, select.POLLERR)
        while not gone.poll(_POLL) and not self._closed.is_set():
            pass  # else the same reader would be served twice

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
