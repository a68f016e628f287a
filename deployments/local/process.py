"""One supervised process of the embedded stack: its log, its readiness, its end, and the sweep after a crash."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from pydantic import SecretStr

from argosy.errors import Terminal, Transient
from deployments.local.ports import Port

_DEAD = ("Z", "X")  # states of /proc/PID/stat: proc(5)


class Process:
    """A process in a group of its own, with its log in `state/logs` and its record in `state/run`.

    `env` is the whole environment: nothing of the caller's leaks in but what the caller puts there. `port` is where it
    listens, if it does.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        state: Path,
        env: Mapping[str, str],
        cwd: Path | None = None,
        port: Port | None = None,
    ) -> None:
        self.name = name
        self.command = [str(part) for part in command]
        self.log = state / "logs" / f"{name}.log"
        self._record = state / "run" / f"{name}.json"
        self._env = dict(env)
        self._cwd = cwd or state
        self._port = port
        self._popen: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process id while it runs; it is the id of its group too."""
        return self._popen.pid if self._popen and self._popen.poll() is None else None

    def start(
        self, ready: Callable[[], bool] = lambda: True, timeout: float = 60.0, given: SecretStr | None = None
    ) -> None:
        """Start it and return when it listens on its port and `ready()` says so.

        `given` (under 64 KiB) is all that its standard input holds. Raises Terminal when it ends before, Transient
        when it is not ready within `timeout` seconds; both quote the end of its log, and neither leaves the process
        behind.
        """
        for folder in (self.log.parent, self._record.parent):
            folder.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log, _pipe(given) as stdin:
            self._popen = subprocess.Popen(
                self.command, stdin=stdin, stdout=log, stderr=log, env=self._env, cwd=self._cwd, start_new_session=True
            )
        self._record.write_text(json.dumps({"pid": self._popen.pid, "started": started_at(self._popen.pid)}))
        try:
            self._await(ready, time.monotonic() + timeout)
        except BaseException:
            self.stop()
            raise

    def _await(self, ready: Callable[[], bool], deadline: float) -> None:
        # Whoever else answers on that port is not this part: it has to be there, and to listen itself.
        while not (self._listens() and ready()):
            if self.pid is None:
                raise Terminal(f"{self.name} ended while starting: {self._tail()}", remedy=f"see {self.log}")
            if time.monotonic() > deadline:
                raise Transient(f"{self.name} did not become ready: {self._tail()}", remedy=f"see {self.log}")
            time.sleep(0.05)

    def _listens(self) -> bool:
        pid = self.pid
        return pid is not None and (self._port is None or self._port.listened_on_by(pid))

    def _tail(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines()
        return " | ".join(lines[-5:]) or "it wrote nothing"

    def stop(self, grace: float = 10.0) -> None:
        """End it: SIGTERM to the process, then SIGKILL to what is left of its group after `grace` seconds."""
        if self._popen is None:
            return
        if self._popen.poll() is None:
            self._popen.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._popen.wait(grace)
        _kill_group(self._popen.pid)
        self._popen.wait()
        self._record.unlink(missing_ok=True)


def _kill_group(group: int, seconds: float = 5.0) -> None:
    """Send SIGKILL and return when nobody in the group runs any more, which takes the kernel its moment."""
    deadline = time.monotonic() + seconds
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)
        while _alive(group) and time.monotonic() < deadline:
            time.sleep(0.01)


def _alive(group: int) -> bool:
    stats = (_stat(process) for process in Path("/proc").glob("[0-9]*"))
    return any(stat[2] == str(group) and stat[0] not in _DEAD for stat in stats if stat)


def runs(pid: int) -> bool:
    """Whether the process runs; one that is dead and waits to be reaped, by a slow init say, does not."""
    stat = _stat(Path(f"/proc/{pid}"))
    return bool(stat) and stat[0] not in _DEAD


def _stat(process: Path) -> list[str]:
    """The fields of a process's stat from its state on; none where it is gone."""
    try:
        return (process / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


@contextmanager
def _pipe(given: SecretStr | None) -> Iterator[int]:
    # A pipe leaves a secret neither in a file nor in what `ps` and /proc show; the kernel's buffer holds 64 KiB of it.
    reader, writer = os.pipe()
    try:
        with os.fdopen(writer, "wb") as end:
            end.write(given.get_secret_value().encode() if given else b"")
        yield reader
    finally:
        os.close(reader)


def environment(state: Path, **more: str) -> dict[str, str]:
    """The whole environment of a part that is written in Python: nothing of the user's but where programs are."""
    home = state / "home"
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    base = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(home), "LANG": "C.UTF-8", "PYTHONUNBUFFERED": "1"}
    return base | {"PYTHONPATH": str(Path(__file__).parents[2])} | more


def started_at(pid: int) -> str | None:
    """When the process `pid` started, in clock ticks since boot; None when there is no such process.

    With the id it names one process for ever: ids alone are used again.
    """
    stat = _stat(Path(f"/proc/{pid}"))
    return stat[19] if stat else None


def sweep(state: Path) -> list[str]:
    """End every process group that a crashed stack left in `state`, and return their names."""
    ended = []
    for record in sorted((state / "run").glob("*.json")):
        written = json.loads(record.read_text() or "{}")
        if written and started_at(written["pid"]) == written["started"]:
            _kill_group(written["pid"])
            ended.append(record.stem)
        record.unlink()
    return ended


def free_port() -> int:
    """A port on 127.0.0.1 that nothing listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
