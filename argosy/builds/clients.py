"""The client that builds: each docker on the worker's path is asked what it can do, once a process."""

from __future__ import annotations

import json
import os
import re
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from argosy.builds.builders import REMOTE, BuilderHost, configured, driver_options
from argosy.builds.engine_errors import engine, missing_buildx
from argosy.errors import ArgosyError, Terminal, Transient
from argosy.registries.login import Login, RegistryCredentials

ENGINE = "docker"
"""The driver of a builder that is an engine's own BuildKit."""
_SECONDS = 60.0
_INSIDE = range(18, 23)
"""The versions of docker clients that have BuildKit inside; later ones build through the buildx plugin alone."""
_CONTAINERD = "io.containerd.snapshotter"


@dataclass(frozen=True, slots=True)
class Client:
    """A docker client that builds: through buildx, else with BuildKit inside it.

    `driver` is buildx's word for what builds. `pushes` says that BuildKit itself pushes, and exports a cache: every one
    but that of an engine without the containerd image store, whose engine has to push. `rewrites` says that BuildKit
    sets the times of files. `plugin` is the file of buildx, where docker says it: then it is run by itself.
    """

    program: str
    buildx: bool
    driver: str = ENGINE
    pushes: bool = True
    rewrites: bool = True
    plugin: str | None = None

    @property
    def words(self) -> list[str]:
        """How a command of buildx begins: docker in front of it starts two processes more for each."""
        return [self.plugin] if self.plugin else [self.program, "buildx"]


_lock = threading.Lock()
_known: dict[tuple[object, ...], Client] = {}


def find(host: BuilderHost, scratch: Path, service: str | None = None) -> Client:
    """The client that builds on `host`; what is not found is looked for again at the next call.

    Raises Terminal where no client can build there, or the builder is not known; Transient where no engine answers.
    """
    key = (host.docker_host, host.builder, *sorted(host.environment.items()))
    with _lock:
        if key not in _known:
            _known[key] = _found(host, scratch, service)
        return _known[key]


def _found(host: BuilderHost, scratch: Path, service: str | None) -> Client:
    with configured(host, scratch, {}) as environment:
        clients = host.clients()
        for program in clients:
            if _answers([program, "buildx", "version"], environment):
                return _through_buildx(host, program, environment, service)
        if not host.options:
            for program in clients:
                if _major(program, environment) in _INSIDE:
                    [status] = _engine(program, environment, service, ".DriverStatus")
                    return Client(program, buildx=False, pushes=_CONTAINERD in status)
        raise missing_buildx(service)


def _through_buildx(host: BuilderHost, program: str, environment: Mapping[str, str], service: str | None) -> Client:
    if host.builder.address:
        return Client(program, buildx=True, driver="remote")
    if host.builder.name:
        return Client(program, buildx=True, driver=_driver(host.builder.name, program, environment, service))
    status, plugins = _engine(program, environment, service, ".DriverStatus", ".ClientInfo.Plugins")
    return Client(program, buildx=True, pushes=_CONTAINERD in status, plugin=_plugin(plugins))


def _plugin(listed: str) -> str | None:
    """The file of buildx among the client's plugins, as docker lists them as JSON; None where it does not say."""
    try:
        found = [each["Path"] for each in json.loads(listed) if each["Name"] == "buildx" and not each.get("Err")]
    except (ValueError, TypeError, KeyError):
        return None
    return next((path for path in found if os.access(path, os.X_OK)), None)


def _driver(name: str, program: str, environment: Mapping[str, str], service: str | None) -> str:
    done = _run([program, "buildx", "inspect", name], environment)
    found = re.search(r"^Driver:\s*(\S+)", done.stdout, re.MULTILINE)
    if done.returncode or found is None:
        raise Terminal(
            f"the worker has no builder {name}: {_last(done.stdout)}",
            service=service,
            remedy="make it with docker buildx create, as the user that the worker runs as, or correct builder.name",
        )
    if found[1] == ENGINE:
        raise Terminal(
            f"the builder {name} is an engine, and no builder of its own",
            service=service,
            remedy="leave builder.name out, and name that engine in the Docker Host block",
        )
    return found[1]


def _major(program: str, environment: Mapping[str, str]) -> int:
    said = _said([program, "version", "--format", "{{.Client.Version}}"], environment)
    found = re.match(r"(\d+)\.", said)
    return int(found[1]) if found else 0


def _engine(program: str, environment: Mapping[str, str], service: str | None, *asked: str) -> list[str]:
    """What `docker info` says to each of the fields that are `asked` for, as JSON. Raises where no engine answers."""
    fields = "{{println}}".join(f"{{{{json {field}}}}}" for field in asked)
    done = _run([program, "info", "--format", fields], environment)
    answers = done.stdout.splitlines()[-len(asked) :]  # warnings come before
    if done.returncode or len(answers) < len(asked):
        said = _last(done.stdout)
        raise engine(said, service) or Transient(
            f"the engine does not say what it is: {said}",
            service=service,
            remedy="see that the Docker Engine runs, and DOCKER_HOST",
        )
    return answers


@contextmanager
def ready(
    client: Client, host: BuilderHost, folder: Path, credentials: Mapping[str, Login | RegistryCredentials]
) -> Iterator[dict[str, str]]:
    """The environment in which `client` builds on `host`, for the length of the block, as `configured` has it.

    Raises Terminal where the builder's address or files are refused.
    """
    with configured(host, folder, credentials) as environment, driver_options(host.tls) as options:
        if host.builder.address:
            create = [*client.words, "create", f"--name={REMOTE}", "--driver=remote", *options]
            done = _run([*create, host.builder.address], environment)
            if done.returncode:
                raise Terminal(
                    f"the builder at {host.builder.address} is refused: {_last(done.stdout)}",
                    remedy="correct builder.address in argosy.yaml, and the files in the BuildKit TLS block",
                )
        yield environment


def cut(client: Client, host: BuilderHost, folder: Path, size: int) -> str | None:
    """Cut the cache of `host`'s builder to `size` bytes, and return what went wrong, where something did."""
    prune = [*client.words, "prune"] if client.buildx else [client.program, "builder", "prune"]
    try:
        with ready(client, host, folder, {}) as environment:
            usage = _said([*prune, "--help"], environment)
            keeps = "--max-used-space" if "--max-used-space" in usage else "--keep-storage"
            done = _run([*prune, *host.options, "--force", f"{keeps}={size}"], environment)
    except ArgosyError as error:
        return str(error)
    return _last(done.stdout) if done.returncode else None


def _answers(command: Sequence[str], environment: Mapping[str, str]) -> bool:
    return _run(command, environment).returncode == 0


def _said(command: Sequence[str], environment: Mapping[str, str]) -> str:
    done = _run(command, environment)
    return "" if done.returncode else done.stdout


def _run(command: Sequence[str], environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    name = " ".join([Path(command[0]).name, *command[1:3]])
    try:
        return subprocess.run(
            command, env=dict(environment), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors="replace", timeout=_SECONDS, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        said = f"{name} did not end within {_SECONDS:g} s"
        raise Transient(said, remedy="see whether the builder answers") from error
    except OSError as error:
        raise Terminal(f"{name} does not run: {error.strerror}", remedy="install the docker client anew") from error


def _last(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return lines[-1] if lines else "without a word"
