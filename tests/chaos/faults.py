"""Breaking things at a precise point: a run's process, a part of the stack; and what must be left of it."""

from __future__ import annotations

import os
import signal
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psutil
from filelock import FileLock

from argosy.git import Git
from deployments.local.part import Part
from deployments.local.prefect_api import FlowRun
from deployments.local.process import Process
from tests.deployments.waiting import soon
from tests.e2e.store import DEPLOYMENT, SERVICES, Store

_PATIENCE = 60.0


def until(condition: Callable[[], object], seconds: float = _PATIENCE) -> None:
    """Wait until `condition` holds."""
    soon(lambda: bool(condition()), expected=True, seconds=seconds)


@dataclass(frozen=True)
class Underway:
    """A run that goes on, and its process."""

    store: Store
    id: str
    process: psutil.Process

    @classmethod
    def begin(cls, store: Store, parameters: Mapping[str, object] | None = None) -> Underway:
        """Ask for a run, as a push would, and wait for its process."""
        run = store.api.create_flow_run(DEPLOYMENT, parameters).id
        found: list[psutil.Process] = []

        def started() -> bool:
            found[:] = _of_run(run)
            return bool(found)

        until(started)
        return cls(store, run, found[0])

    def kill(self) -> None:
        """Send it SIGKILL, as the machine's memory running out does, and see that nothing that it started survives."""
        started = self.process.children(recursive=True)
        self.process.kill()
        self.gone(started)
        assert self.store.api.wait(self.id).state == "CRASHED"

    @contextmanager
    def suspended(self) -> Iterator[None]:
        """Let its process stand still, while what it has started goes on."""
        self.process.suspend()
        try:
            yield
        finally:
            self.process.resume()

    def cancelled(self) -> float:
        """Cancel it, as the dashboard does; the seconds from the signal until nothing of it was left.

        Its worker sends the signal when it hears of it: that the first of what the run has started ends is the sign.
        """
        started = self.process.children(recursive=True)
        self.store.api.cancel(self.id)
        until(lambda: not all(_alive(each) for each in started))
        return self._ended(started)

    def terminated(self) -> float:
        """Send it SIGTERM; the seconds until nothing of it was left."""
        started = self.process.children(recursive=True)
        self.process.terminate()
        return self._ended(started)

    def _ended(self, started: list[psutil.Process]) -> float:
        began = time.monotonic()
        self.gone(started)
        return time.monotonic() - began

    def gone(self, processes: list[psutil.Process]) -> None:
        """See that of its process and of `processes` nothing is left."""
        until(lambda: not [each for each in (self.process, *processes) if _alive(each)], seconds=15)

    def building(self, mark: str) -> bool:
        """Whether a build step whose command holds `mark` runs now."""
        return any(mark in " ".join(_command(each)) for each in psutil.process_iter())

    def speaks_to(self, url: str) -> bool:
        """Whether it has a connection to `url` now."""
        port = urlsplit(url).port
        return any(each.raddr[-1:] == (port,) for each in self.process.net_connections())

    def transfers(self) -> bool:
        """Whether it speaks to the git server now."""
        children = self.process.children(recursive=True)
        return any("git-remote-http" in word for each in children for word in _command(each))

    def end(self) -> FlowRun:
        """The run at its end."""
        return self.store.api.wait(self.id, 150.0)


def _of_run(run: str) -> list[psutil.Process]:
    return [each for each in psutil.process_iter() if _environment(each).get("PREFECT__FLOW_RUN_ID") == run]


def _environment(process: psutil.Process) -> Mapping[str, str]:
    try:
        return process.environ()
    except psutil.Error:
        return {}


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def _alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


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


def waiting_pushes(store: Store) -> int:
    """How many pushes the git server's hook holds now."""
    folder = str(store.stack.git.path(store.stack.repository))
    hooks = [each for each in psutil.process_iter() if _is_hook(each) and not _is_hook(each.parent())]
    return sum(_folder(each) == folder for each in hooks)


def _is_hook(process: psutil.Process | None) -> bool:
    return process is not None and any("pre-receive" in word for word in _command(process))


def _folder(process: psutil.Process) -> str:
    try:
        return process.cwd()
    except psutil.Error:
        return ""


def pushed(store: Store, source: str, *services: str) -> bool:
    """Whether the registry has the services' images under the tag of `source`."""
    return all(store.digest(name, source) for name in services)


def drafts(store: Store, run: str) -> set[str]:
    """The release commits that the run made, one an attempt: those that lost the race are in its mirror alone."""
    git = Git(_mirror(store))
    objects = git.text("cat-file", "--batch-all-objects", "--batch-check").splitlines()
    commits = [line.split()[0] for line in objects if line.split()[1] == "commit"]
    return {each for each in commits if f"Argosy-Run: {run}" in git.text("cat-file", "commit", each)}


def _mirror(store: Store) -> Path:
    [mirror] = (store.stack.state / "cache").glob("mirrors/*.git")
    return mirror


def assert_sound(store: Store, source: str, releases: int = 1) -> None:
    """See that all is released and healthy, by `releases` commits on `source`, and that nothing lies about."""
    assert store.plan().nothing_to_do
    assert len(store.since(source)) == releases
    assert not store.origin.text("rev-list", "--merges", f"{source}..{store.head}")
    assert {name for name, reference in store.references().items() if store.digest(name, reference.tag)} == {*SERVICES}
    assert {ref.split()[0].split("/")[1] for ref in store.refs.splitlines()} == {"heads", "notes"}
    cache = store.stack.state / "cache"
    mirror = _mirror(store)
    assert not [*mirror.glob("*.lock"), *mirror.glob("refs/**/*.lock"), *mirror.glob("worktrees")]
    with FileLock(f"{mirror}.lock", timeout=1):
        pass
    key = store.stack.signing_key.private.get_secret_value()
    secrets = [key.splitlines()[2], *(each.get_secret_value() for each in store.stack.passwords.values())]
    files = [file for file in cache.rglob("*") if file.is_file()]
    assert not [file for file in files if any(secret.encode() in file.read_bytes() for secret in secrets)]
