"""Whether a Docker Engine that is already there can build and push for the embedded stack: tried, not assumed."""

from __future__ import annotations

import io
import os
import shutil
import signal
import socket
import subprocess
import tarfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

DEFAULT_SOCKET = Path("/var/run/docker.sock")


def user_host() -> str | None:
    """The address of the engine that the user has: `DOCKER_HOST`, else the default socket where there is one."""
    return os.environ.get("DOCKER_HOST") or (f"unix://{DEFAULT_SOCKET}" if DEFAULT_SOCKET.is_socket() else None)


def user_plugins() -> list[Path]:
    """The buildx plugins in the user's home; those of the system are found by any client."""
    files = [Path.home() / ".docker" / "cli-plugins" / "docker-buildx"]
    return [file for file in files if os.access(file, os.X_OK)]


def clients(path: str) -> list[Path]:
    """Every `docker` on `path`, first come first."""
    found = (shutil.which("docker", path=folder) for folder in path.split(os.pathsep) if folder)
    return [Path(client) for client in dict.fromkeys(found) if client]


def usable(client: Path, environment: Mapping[str, str]) -> bool:
    """Whether the engine answers `client`, builds through buildx, and reaches what listens on this 127.0.0.1."""
    return _answers(client, environment) and _builds(client, environment) and _reaches_us(client, environment)


def _answers(client: Path, environment: Mapping[str, str]) -> bool:
    return _succeeds([str(client), "version", "--format", "{{.Server.Version}}"], environment, b"", 10)


def _builds(client: Path, environment: Mapping[str, str]) -> bool:
    command = [str(client), "buildx", "build", "--progress=plain", "--output=type=tar,dest=/dev/null", "-"]
    return _succeeds(command, environment, _context(), 60)


def _reaches_us(client: Path, environment: Mapping[str, str]) -> bool:
    """An engine in a virtual machine or on another host cannot push to a registry on our 127.0.0.1."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)
        image = f"127.0.0.1:{listener.getsockname()[1]}/argosy-probe:none"
        pull = subprocess.Popen(
            [client, "pull", "--quiet", image], env=dict(environment), start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            listener.accept()[0].close()
        except TimeoutError:
            return False
        finally:
            with suppress(ProcessLookupError):
                os.killpg(pull.pid, signal.SIGKILL)
            pull.wait()
    return True


def _succeeds(command: list[str], environment: Mapping[str, str], stdin: bytes, timeout: float) -> bool:
    try:
        done = subprocess.run(
            command, env=dict(environment), input=stdin, capture_output=True, timeout=timeout, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _context() -> bytes:
    dockerfile = b"FROM scratch\nCOPY Dockerfile /\n"
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        member = tarfile.TarInfo("Dockerfile")
        member.size = len(dockerfile)
        tar.addfile(member, io.BytesIO(dockerfile))
    return stream.getvalue()
