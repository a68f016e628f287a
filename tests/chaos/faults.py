"""A run that goes on, where it has come to, and ending it at a precise point."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import psutil

from deployments.local.prefect_api import FlowRun
from tests.deployments.waiting import soon
from tests.e2e.store import DEPLOYMENT, Store

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

    def writes(self) -> bool:
        """Whether it has come to its write-back."""
        return any(each.name.startswith("write back") for each in self.store.api.task_runs(self.id))

    def cancelled(self) -> float:
        """Cancel it, as the dashboard does; the seconds from then until nothing of it was left.

        In them is the time until its worker, which asks once a second, has heard of it and sent the signal.
        """
        started, began = self.process.children(recursive=True), time.monotonic()
        self.store.api.cancel(self.id)
        return self._ended(started, began)

    def terminated(self) -> float:
        """Send it SIGTERM; the seconds until nothing of it was left."""
        started, began = self.process.children(recursive=True), time.monotonic()
        self.process.terminate()
        return self._ended(started, began)

    def _ended(self, started: list[psutil.Process], began: float) -> float:
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

    def tries_again(self) -> bool:
        """Whether an attempt of its stages has failed, and another one is to come."""
        lines = (self.store.stack.state / "logs/worker.log").read_text(errors="replace").splitlines()
        return any(f"run={self.id} " in line and "failed; the next one in" in line for line in lines)

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


def pushed(store: Store, source: str, *services: str) -> bool:
    """Whether the registry has the services' images under the tag of `source`."""
    return all(store.digest(name, source) for name in services)
