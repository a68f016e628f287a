"""The container engine of the embedded stack: the user's Docker where it serves, else a private one."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from argosy.errors import Terminal
from deployments.local import docker_probe, network
from deployments.local.packages import release, unpack
from deployments.local.part import Part
from deployments.local.process import Process

_NAME = "engine"
# Bookworm has no buildx of its own; its runc stays, as the newer one wants a newer C library.
_BOOKWORM = ("docker.io/trixie", "docker-cli/trixie", "docker-buildx/trixie", "containerd/trixie")
_PROXIES = ("http_proxy", "https_proxy", "no_proxy")


def packages() -> tuple[str, ...]:
    """The packages, in apt's words, that make a private engine on the running distribution."""
    family, codename = release()
    if codename == "bookworm":
        engine: tuple[str, ...] = _BOOKWORM
    else:
        engine = ("docker.io", "docker-buildx", "containerd") + (("docker-cli",) if family == "debian" else ())
    return (*engine, "runc", "tini", "busybox-static")


class Engine(Part):
    """A Docker Engine with BuildKit, reached at `docker_host`; a private one leaves nothing when it stops.

    `state` is the stack's folder, `cache` where packages are unpacked; `private` leaves the user's Docker alone.
    A private engine has containerd's image store unless `image_store` is False.
    """

    def __init__(self, state: Path, cache: Path, *, private: bool = False, image_store: bool = True) -> None:
        self._state = state
        self._image_store = image_store
        self._cache = cache
        self._users = None if private else docker_probe.user_host()
        self._folder = state / _NAME
        self.key = f"argosy-{hashlib.sha256(str(state.resolve()).encode()).hexdigest()[:12]}"
        # A socket's path may have 107 bytes, and a state folder can lie deep.
        self._run = Path("/run") / self.key
        self._process: Process | None = None
        self.docker_host = f"unix://{self._run}/docker.sock"
        self.client = Path("docker")
        self._path = os.environ.get("PATH", os.defpath)

    def start(self) -> None:
        """Find or start the engine. Raises Terminal where there is neither Docker nor root, with what to do."""
        self._configure(docker_probe.user_plugins())
        if self._answers():
            raise Terminal(f"another stack runs in {self._state}", remedy="stop it, or use another state folder")
        self._clear()  # what a stack that was killed left
        if self._users and self._take_users(self._users):
            return
        if os.geteuid() != 0:
            raise Terminal(
                "no Docker Engine with BuildKit answers, and starting a private one takes root",
                remedy="start Docker, point DOCKER_HOST at one on this machine, or run this as root",
            )
        try:
            self._start_private(self._unpacked() / "bin/busybox")
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End a private engine with its containers, mounts and bridge; the user's is left as it is."""
        if self._process is not None:
            self._remove_containers()
            for child in _children(self._process.pid) if self._process.pid else ():
                with suppress(ProcessLookupError):
                    os.kill(child, signal.SIGTERM)  # `unshare` itself passes no signal on
            self._process.stop(grace=30)
            self._process = None
        if not self._answers():
            self._clear()

    @property
    def private(self) -> bool:
        """Whether this is a Docker Engine of the stack's own."""
        return self._process is not None

    def environment(self) -> dict[str, str]:
        """What a client needs to reach the engine, and nothing of the user's."""
        passed = ("DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH") if self.docker_host == self._users else ()
        return {
            "PATH": self._path,
            "DOCKER_HOST": self.docker_host,
            "DOCKER_CONFIG": str(self._folder / "docker"),
            **{name: os.environ[name] for name in passed if name in os.environ},
        }

    def _configure(self, plugins: Sequence[Path]) -> None:
        links = self._folder / "docker" / "cli-plugins"
        links.mkdir(parents=True, exist_ok=True)
        for plugin in plugins:
            (links / plugin.name).unlink(missing_ok=True)
            (links / plugin.name).symlink_to(plugin)

    def _take_users(self, host: str) -> bool:
        private, self.docker_host = self.docker_host, host
        for client in docker_probe.clients(self._path):
            self.client = client
            if docker_probe.usable(client, self.environment()):
                return True
        with suppress(Terminal):  # without apt there is no client of ours to try
            self._unpacked()
            if docker_probe.usable(self.client, self.environment()):
                return True
        self.docker_host = private
        return False

    def _unpacked(self) -> Path:
        root = unpack(packages(), self._cache)
        folders = [str(root / "usr/bin"), str(root / "usr/sbin"), str(root / "bin")]
        self._path = os.pathsep.join(
            [*folders, *(part for part in self._path.split(os.pathsep) if part not in folders)]
        )
        self.client = root / "usr/bin/docker"
        self._configure(sorted(root.glob("usr/lib*/docker/cli-plugins/docker-buildx")))
        return root

    def _start_private(self, busybox: Path) -> None:
        self._run.mkdir(mode=0o700, exist_ok=True)
        configuration = self._folder / "daemon.json"
        configuration.write_text(json.dumps({"features": {"containerd-snapshotter": self._image_store}}))
        name = network.create(self.key, busybox)
        # In namespaces of its own: when their first process ends, however it does, the kernel ends every container
        # and shim and undoes every mount.
        command: list[str | Path] = [
            "unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "tini-static", "--",
            "dockerd", "--config-file", configuration, "--host", self.docker_host,
            "--data-root", self._folder / "data", "--exec-root", self._run, "--pidfile", self._run / "docker.pid",
            "--bridge", name, "--iptables=false", "--ip6tables=false", "--ip-forward=false",
            "--cgroup-parent", f"/{self.key}", "--exec-opt", "native.cgroupdriver=cgroupfs",
        ]  # fmt: skip
        proxies = {k: v for k, v in os.environ.items() if k.lower() in _PROXIES}
        self._process = Process(_NAME, command, state=self._state, env={"PATH": self._path, **proxies})
        self._process.start(self._answers, timeout=60)

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(5)
            try:
                client.connect(str(self._run / "docker.sock"))
                client.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
                return b" 200 " in client.recv(64)
            except OSError:
                return False

    def _remove_containers(self) -> None:
        """Spare the engine the ten seconds that it gives each container to end by itself."""
        run = partial(subprocess.run, env=self.environment(), capture_output=True, text=True, timeout=20, check=False)
        with suppress(OSError, subprocess.TimeoutExpired):  # what is left ends with the engine
            if containers := run([self.client, "ps", "--all", "--quiet"]).stdout.split():
                run([self.client, "rm", "--force", *containers])

    def _clear(self) -> None:
        """Remove what a private engine has outside its state folder; its processes and mounts are gone by now."""
        if os.geteuid() != 0 or not (self._run.exists() or network.owned(self.key)):
            return
        network.delete(self.key, self._unpacked() / "bin/busybox")
        shutil.rmtree(self._run, ignore_errors=True)
        for pattern in (f"{self.key}", f"*/{self.key}"):  # version 2, and version 1 with its controllers
            for top in Path("/sys/fs/cgroup").glob(pattern):
                for folder, _, _ in os.walk(top, topdown=False):
                    Path(folder).rmdir()


def _children(pid: int) -> list[int]:
    with suppress(OSError):
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []
