"""A real engine and a real registry behind a password, and what is built with them."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import tarfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from pydantic import SecretStr

from argosy.builds import images
from argosy.builds.builders import BuilderHost
from argosy.builds.request import BuildRequest
from argosy.models import BuildContext, ImageReference, Service
from argosy.registries.registry import Registry, RegistryCredentials
from deployments.local import registry as local
from deployments.local.engine import Engine, packages
from deployments.local.packages import unpack
from tests import processes

DOCKERFILE = """\
FROM scratch
COPY busybox /bin/sh
ARG TEXT=none
RUN echo "$TEXT" >/text
"""
REPOSITORY = "shop/ui"


@dataclass(frozen=True)
class Yard:
    """A real engine and a real registry behind a password."""

    host: BuilderHost
    registry: str
    user: RegistryCredentials
    busybox: bytes
    blobs: Path
    lines: list[str] = field(default_factory=list)

    @classmethod
    @contextmanager
    def started(cls, state: Path, cache: Path, *, image_store: bool = True) -> Iterator[Yard]:
        """A yard with its files in `state`, for the length of a `with`."""
        user = RegistryCredentials(local.USER, SecretStr("a password"))
        store = local.Registry(local.binary(cache), user.password, state=state)
        busybox = (unpack(packages(), cache) / "bin/busybox").read_bytes()
        with Engine(state, cache, private=not image_store, image_store=image_store) as engine, store:
            host = BuilderHost(engine.docker_host, engine.environment())
            yield cls(host, store.host, user, busybox, state / "registry/blobs")

    def build(self, request: BuildRequest, host: BuilderHost | None = None) -> str:
        return images.build(request, host or self.host, {self.registry: self.user}, self.lines.append)

    def request(
        self, scratch: Path, dockerfile: str, *tags: str, timeout: float = 60, files: Mapping[str, bytes] | None = None
    ) -> BuildRequest:
        def write(stream: BinaryIO) -> None:
            with tarfile.open(fileobj=stream, mode="w|") as archive:
                add(archive, "busybox", self.busybox)
                for name, content in (files or {}).items():
                    add(archive, name, content)
                add(archive, "deep/Dockerfile", dockerfile.encode())

        references = tuple(self.reference(tag) for tag in tags or ("1",))
        return BuildRequest(service(timeout), references, "deep/Dockerfile", write, scratch)

    def reference(self, tag: str) -> ImageReference:
        return ImageReference(f"{self.registry}/{REPOSITORY}", tag)

    def client(self) -> Registry:
        return Registry(self.registry, self.user)

    def manifest(self, tag: str) -> dict[str, Any]:
        with self.client() as registry:
            found: dict[str, Any] = json.loads(registry.manifest(REPOSITORY, tag).content)
            return found

    def config(self, tag: str) -> dict[str, Any]:
        """The configuration of the image under `tag`: its labels, its history, its times."""
        found: dict[str, Any] = json.loads(self.blob(self.manifest(tag)["config"]["digest"]))
        return found

    def blob(self, digest: str) -> bytes:
        [file] = self.blobs.glob(f"docker/registry/v2/blobs/sha256/*/{digest.partition(':')[2]}/data")
        return file.read_bytes()

    def docker(self, *words: str, host: BuilderHost | None = None) -> str:
        """What a docker client of the yard's says."""
        environment = (host or self.host).variables(Path((host or self.host).environment["DOCKER_CONFIG"]))
        command = [(host or self.host).client() or "docker", *words]
        return subprocess.run(command, env=environment, check=True, capture_output=True, text=True, timeout=60).stdout


def add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode, member.mtime = len(content), 0o755, 315_532_800
    archive.addfile(member, io.BytesIO(content))


def service(timeout: float = 60, *, context: BuildContext | None = None) -> Service:
    build = context or BuildContext("src/ui", "src/ui/deep/Dockerfile", labels=(("team", "shop"),))
    return Service("ui", "src/ui", "src/ui/chart", "src/ui/chart/values.yaml", REPOSITORY, build, timeout=timeout)


def with_path(environment: Mapping[str, str], *folders: Path) -> dict[str, str]:
    """The same environment with other folders of programs, and the system's behind them."""
    return {**environment, "PATH": os.pathsep.join([*map(str, folders), os.defpath])}


def ran(words: str, log: str) -> bool:
    """Whether a step that prints `words` alone ran: one that was had from a cache is shown, and prints nothing."""
    return re.search(rf"^#\d+ [\d.]+ {re.escape(words)}$", log, re.MULTILINE) is not None


def running(marker: str) -> list[str]:
    """The processes that carry `marker` in their command line or their environment."""
    told = processes.shown("cmdline", "environ")
    ours = ((folder, words) for folder, words in told if folder.name != str(os.getpid()))
    return [f"{folder}: {words[:200]!r}" for folder, words in ours if marker.encode() in words]


def gone(marker: str, seconds: float = 10) -> bool:
    """Whether nothing that carries `marker` runs any more; the engine ends a step when its client is gone."""
    deadline = time.monotonic() + seconds
    while found := running(marker):
        if time.monotonic() > deadline:
            return not found
        time.sleep(0.05)
    return True
