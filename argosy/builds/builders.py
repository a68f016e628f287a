"""Where images are built, and by which client: an engine, a named builder or a BuildKit daemon somewhere else."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import SecretStr

from argosy.builds.options import HERE, Builder
from argosy.processes.secret_files import docker_config, secret_file
from argosy.registries.login import Login, RegistryCredentials

_PASSED = ("PATH", "DOCKER_HOST", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH")
# What a builder of the worker's own may be reached by: a cluster's API, or a Docker over SSH.
_PASSED_FOR_NAMED = ("HOME", "KUBECONFIG", "SSH_AUTH_SOCK")
REMOTE = "argosy"
"""The name that a BuildKit daemon has in the private configuration of a build."""


@dataclass(frozen=True, slots=True)
class BuilderTLS:
    """What opens a BuildKit daemon: the authority that signed its certificate, and ours with its key, each as PEM."""

    ca: str
    certificate: str
    key: SecretStr


@dataclass(frozen=True, slots=True)
class BuilderHost:
    """Where images are built: where `builder` says, else by the engine at `docker_host`.

    Without either it is the engine that the worker's `environment` names. `tls` opens the builder's address.
    """

    docker_host: str | None = None
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ), repr=False)
    builder: Builder = HERE
    tls: BuilderTLS | None = None

    def variables(self, config: Path) -> dict[str, str]:
        """The whole environment of the build client, with `config`, its private configuration, first on its path."""
        named = self.builder.name is not None
        names = _PASSED + _PASSED_FOR_NAMED if named else _PASSED
        passed = {name: self.environment[name] for name in names if self.environment.get(name)}
        chosen = {"DOCKER_HOST": self.docker_host} if self.docker_host else {}
        own = self._own("buildx", "BUILDX_CONFIG") if named else None
        path = os.pathsep.join((str(config), passed.get("PATH", os.defpath)))
        private = {"DOCKER_CONFIG": str(config), "PATH": path}
        return passed | chosen | private | ({"BUILDX_CONFIG": str(own)} if own else {})

    def client(self) -> str | None:
        """The first docker client on the worker's path."""
        return next(iter(self.clients()), None)

    def clients(self) -> tuple[str, ...]:
        """Every docker client on the worker's path, first come first."""
        folders = self.environment.get("PATH", os.defpath).split(os.pathsep)
        found = (shutil.which("docker", path=folder) for folder in folders if folder)
        return tuple(dict.fromkeys(client for client in found if client))

    def plugins(self) -> tuple[Path, ...]:
        """The worker's own folder of client plugins, where there is one."""
        folder = self._own("cli-plugins")
        return (folder,) if folder and folder.is_dir() else ()

    def contexts(self) -> Path | None:
        """The worker's own folder of docker contexts, which named builders lead to, where there is one."""
        folder = self._own("contexts")
        return folder if folder and folder.is_dir() else None

    def _own(self, folder: str, variable: str | None = None) -> Path | None:
        home, named = self.environment.get("HOME"), self.environment.get(variable) if variable else None
        own = self.environment.get("DOCKER_CONFIG") or (f"{home}/.docker" if home else None)
        return Path(named) if named else Path(own) / folder if own else None

    @property
    def options(self) -> list[str]:
        """What makes buildx use this builder, once its configuration is there."""
        name = self.builder.name or (REMOTE if self.builder.address else None)
        return [f"--builder={name}"] if name else []


@contextmanager
def configured(
    host: BuilderHost, folder: Path, credentials: Mapping[str, Login | RegistryCredentials]
) -> Iterator[dict[str, str]]:
    """The environment of a client that builds on `host` and is logged in to the registries of `credentials`.

    It lasts as long as the block; its DOCKER_CONFIG is a private folder in `folder`.
    """
    with docker_config(folder, credentials, host.plugins()) as config:
        contexts = host.contexts()
        if host.builder.name and contexts:
            (config / "contexts").symlink_to(contexts)
        yield host.variables(config)


@contextmanager
def driver_options(tls: BuilderTLS | None) -> Iterator[list[str]]:
    """The options of a BuildKit daemon's driver: its files lie in memory, for the length of the block."""
    with ExitStack() as held:
        files: dict[str, SecretStr | bytes] = (
            {"cacert": tls.ca.encode(), "cert": tls.certificate.encode(), "key": tls.key} if tls else {}
        )
        paths = {name: held.enter_context(secret_file(content)) for name, content in files.items()}
        yield [f"--driver-opt={name}={path}" for name, path in paths.items()]
