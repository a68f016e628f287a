"""The container engine of the embedded stack, started for real: what it does, and what it leaves."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from argosy.errors import Terminal
from argosy.home import home
from deployments.local import docker_probe, engine, network
from deployments.local.engine import Engine
from deployments.local.packages import unpack
from deployments.local.process import sweep
from tests import processes

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="a private container engine takes root")
CACHE = home() / "packages"
DOCKERFILE = """\
FROM scratch
COPY busybox /bin/busybox
RUN ["/bin/busybox", "touch", "/built"]
CMD ["/bin/busybox", "sleep", "600"]
"""


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    # Deeper than any socket's path may be.
    folder = tmp_path / ("deep" * 20)
    folder.mkdir(parents=True)
    yield folder
    sweep(folder)
    Engine(folder, CACHE, private=True).stop()


def traces(key: str, state: Path) -> list[str]:
    """Whatever a private engine of `state` has on this machine: processes, mounts, interfaces, folders."""
    mark = key.encode()
    found = [f"process {folder}: {command!r}" for folder, command in processes.shown("cmdline") if mark in command]
    found += [f"cgroup of {folder}" for folder, groups in processes.shown("cgroup") if mark in groups]
    mounts = Path("/proc/self/mounts").read_text().splitlines()
    found += [line for line in mounts if key in line or str(state) in line]
    found += [*network.owned(key), *map(str, Path("/run").glob(f"{key}*"))]
    return [*found, *map(str, Path("/sys/fs/cgroup").glob(f"**/{key}"))]


def context(folder: Path) -> Path:
    folder.mkdir()
    (folder / "Dockerfile").write_text(DOCKERFILE)
    busybox = unpack(engine.packages(), CACHE) / "bin/busybox"
    (folder / "busybox").write_bytes(busybox.read_bytes())
    (folder / "busybox").chmod(0o755)
    return folder


def docker(engine: Engine, *arguments: str | Path) -> str:
    done = subprocess.run([engine.client, *arguments], env=engine.environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@as_root
@pytest.mark.e2e
def test_a_private_engine_builds_runs_and_leaves_nothing(tmp_path: Path, state: Path) -> None:
    engine = Engine(state, CACHE, private=True)
    with engine:
        docker(engine, "buildx", "build", "--tag", "sleeper", context(tmp_path / "context"))
        docker(engine, "run", "--detach", "--publish", "127.0.0.1::80", "sleeper")
        assert traces(engine.key, state)
    assert traces(engine.key, state) == []


@as_root
@pytest.mark.e2e
def test_two_engines_at_once_have_a_network_each(tmp_path: Path, state: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    with Engine(state, CACHE, private=True) as first, Engine(other, CACHE, private=True) as second:
        docker(second, "version")
        bridges = [network.owned(first.key), network.owned(second.key)]
        assert [len(names) for names in bridges] == [1, 1]
        assert bridges[0] != bridges[1]
    assert traces(second.key, other) == []


@as_root
@pytest.mark.e2e
def test_a_stack_that_was_killed_is_swept(tmp_path: Path, state: Path) -> None:
    script = (
        "import os, signal, sys; from pathlib import Path; from deployments.local.engine import Engine\n"
        "Engine(Path(sys.argv[1]), Path(sys.argv[2]), private=True).start(); os.kill(os.getpid(), signal.SIGKILL)"
    )
    root = Path(engine.__file__).parents[2]
    killed = subprocess.run([sys.executable, "-c", script, state, CACHE], cwd=root, check=False)
    assert killed.returncode == -signal.SIGKILL
    crashed = Engine(state, CACHE, private=True)
    with pytest.raises(Terminal, match="another stack runs"):
        crashed.start()
    crashed._unpacked()
    docker(crashed, "buildx", "build", "--tag", "sleeper", context(tmp_path / "context"))
    docker(crashed, "run", "--detach", "sleeper")

    assert sweep(state) == ["engine"]
    with Engine(state, CACHE, private=True) as again:
        assert len(network.owned(again.key)) == 1
    assert traces(again.key, state) == []


@as_root
@pytest.mark.e2e
def test_an_engine_of_the_users_that_serves_is_used(
    tmp_path: Path, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Engine(state, CACHE, private=True) as users:
        monkeypatch.setenv("DOCKER_HOST", users.docker_host)
        with Engine(tmp_path, CACHE) as taken:
            assert not taken.private
            assert taken.docker_host == users.docker_host
            docker(taken, "buildx", "version")
        docker(users, "version")


def test_an_engine_that_is_not_there_is_not_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    client = next(iter(docker_probe.clients(os.environ["PATH"])), None)
    if client is None:
        client = unpack(engine.packages(), CACHE) / "usr/bin/docker"
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "docker.sock"))
        environment = {"PATH": os.environ["PATH"], "DOCKER_HOST": f"unix://{tmp_path}/docker.sock"}
        assert not docker_probe.usable(client, environment)


def test_neither_docker_nor_root_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(Terminal, match="DOCKER_HOST"):
        Engine(tmp_path, CACHE, private=True).start()
