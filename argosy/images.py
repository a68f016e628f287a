"""The builder: one image of one service, built by BuildKit from a streamed context and pushed under its tags."""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import tarfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from argosy import supervised
from argosy.build_category import Category
from argosy.build_errors import classify
from argosy.build_output import BuildOutput
from argosy.disk import writing
from argosy.engine_errors import missing_buildx
from argosy.errors import Terminal, Transient
from argosy.models import ImageReference, Service
from argosy.registry_login import Login, RegistryCredentials
from argosy.secret_files import docker_config

log = logging.getLogger(__name__)

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_PASSED = ("PATH", "DOCKER_HOST", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH")
_TIMESTAMP = 315_532_800  # 1980-01-01, as every file of an exported context has it


@dataclass(frozen=True, slots=True)
class BuilderHost:
    """Where images are built: the engine at `docker_host`, else the one that the worker's `environment` names."""

    docker_host: str | None = None
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ), repr=False)

    def variables(self, config: Path) -> dict[str, str]:
        """The whole environment of the build client, with `config`, its private configuration, first on its path."""
        passed = {name: self.environment[name] for name in _PASSED if self.environment.get(name)}
        chosen = {"DOCKER_HOST": self.docker_host} if self.docker_host else {}
        path = os.pathsep.join((str(config), passed.get("PATH", os.defpath)))
        return passed | chosen | {"DOCKER_CONFIG": str(config), "PATH": path}

    def client(self) -> str | None:
        """The docker client on the worker's path."""
        return shutil.which("docker", path=self.environment.get("PATH", os.defpath))

    def plugins(self) -> tuple[Path, ...]:
        """The worker's own folder of client plugins, where there is one."""
        home = self.environment.get("HOME")
        own = self.environment.get("DOCKER_CONFIG") or (f"{home}/.docker" if home else None)
        folder = Path(own) / "cli-plugins" if own else None
        return (folder,) if folder and folder.is_dir() else ()


@dataclass(frozen=True, slots=True)
class BuildRequest:
    """One build: `write_context` writes the context as a tar archive, in which `dockerfile` is a path.

    The Dockerfile should be the archive's last file: then no part of an archive can be taken for the whole.
    `scratch` is a folder that exists, for the build log and files that do not outlive the build. `contexts` says where
    names that the Dockerfile takes files or images from lead: folders, or `docker-image://` and a reference. A `fresh`
    build uses no cache.
    """

    service: Service
    references: tuple[ImageReference, ...]
    dockerfile: str
    write_context: Callable[[BinaryIO], None]
    scratch: Path
    labels: Mapping[str, str] = field(default_factory=dict)
    contexts: Mapping[str, str] = field(default_factory=dict)
    fresh: bool = False

    @property
    def log(self) -> Path:
        """Where the whole output of the build lies afterwards."""
        return self.scratch / f"build-{self.service.name}.log"


def build(
    request: BuildRequest,
    host: BuilderHost,
    credentials: Mapping[str, Login | RegistryCredentials],
    on_line: Callable[[str], None],
) -> str:
    """Build, push under every reference, and return the manifest's digest (`sha256:` and 64 hex).

    `credentials` maps a registry's host and port to what opens it; `on_line` gets each line of output. Raises Transient
    or Terminal as `build_errors.classify` reads the output, Terminal after the service's timeout; an exception of
    `write_context` or `on_line` goes through. Nothing of the build is left running in any case.
    """
    client = host.client()
    if client is None:
        raise missing_buildx(request.service.name)
    with writing(request.scratch), docker_config(request.scratch, credentials, host.plugins()) as config:
        metadata = config / "metadata.json"
        try:
            status = supervised.run(
                command(request, client, metadata), environment=host.variables(config),
                write=_led(request.write_context), on_line=on_line, log=request.log, timeout=request.service.timeout,
            )  # fmt: skip
        except supervised.TimedOut as error:
            raise _timed_out(request) from error
        if status:
            raise _failure(request, status)
        return _digest(metadata, request.service.name)


def command(request: BuildRequest, client: str, metadata: Path) -> list[str]:
    """The command line of a build: no secret is in it."""
    context = request.service.build_context
    labels = {**dict(context.labels), **request.labels}
    options = {
        "file": [request.dockerfile],
        "metadata-file": [str(metadata)],
        "tag": [str(reference) for reference in request.references],
        "target": [context.target_stage] if context.target_stage else [],
        "platform": [",".join(context.platform)] if context.platform else [],
        "build-arg": [f"{name}={value}" for name, value in context.build_args],
        "label": [f"{name}={value}" for name, value in labels.items()],
        "build-context": [f"{name}={place}" for name, place in request.contexts.items()],
    }
    flags = [f"--{name}={value}" for name, values in options.items() for value in values]
    # With provenance, which has times in it, the same content would have another digest at every push.
    fresh = ["--no-cache", "--pull"] if request.fresh else []
    return [client, "buildx", "build", "--push", "--provenance=false", "--progress=plain", *fresh, *flags, "-"]


def _led(write: Callable[[BinaryIO], None]) -> Callable[[BinaryIO], None]:
    """buildx knows an archive by its first 512 bytes, which must be a plain header: a long first name has another."""
    root = tarfile.TarInfo("./")
    root.type, root.mode, root.mtime = tarfile.DIRTYPE, 0o755, _TIMESTAMP

    def led(stream: BinaryIO) -> None:
        stream.write(root.tobuf(tarfile.USTAR_FORMAT))
        write(stream)

    return led


def _failure(request: BuildRequest, status: int) -> Terminal | Transient:
    name = request.service.name
    if status < 0:
        return Transient(
            f"the build client was killed by signal {-status}",
            service=name,
            remedy="see the worker's memory",
            category=Category.RESOURCES,
        )
    return classify(request.log.read_text(errors="replace"), name, request.service.dockerfile_path)


def _timed_out(request: BuildRequest) -> Terminal:
    output = BuildOutput.read(request.log.read_text(errors="replace"))
    return Terminal(
        f"the build was ended after {request.service.timeout:g} s, at: {output.doing or 'its start'}",
        service=request.service.name,
        remedy="raise the service's timeout in argosy.yaml if it needs longer",
        category=Category.DOCKER,
    )


def _digest(metadata: Path, service: str) -> str:
    named = json.loads(metadata.read_text()).get("containerimage.digest", "")
    if not _DIGEST.fullmatch(named):
        raise Terminal(
            "the builder named no manifest digest",
            service=service,
            remedy="use a newer buildx, or an engine with the containerd image store",
        )
    return str(named)
