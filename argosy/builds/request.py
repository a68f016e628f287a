"""What one build is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from pydantic import SecretStr

from argosy.models import ImageReference, Service

_OCI = "org.opencontainers.image"


@dataclass(frozen=True, slots=True)
class Cache:
    """References of build caches in the registry: those that a build takes from, and the one it leaves."""

    imports: tuple[str, ...] = ()
    export: str | None = None


NO_CACHE = Cache()


@dataclass(frozen=True, slots=True)
class BuildRequest:
    """One build: `write_context` writes the context as a tar archive, in which `dockerfile` is a path.

    The Dockerfile should be the archive's last file: then no part of an archive can be taken for the whole.
    `scratch` is a folder that exists, for the build log and files that do not outlive the build. `contexts` says where
    names that the Dockerfile takes files or images from lead: folders, or `docker-image://` and a reference. A `fresh`
    build uses no cache. `epoch` (seconds since 1970) is the time that everything in the image has, and with
    `epoch_told` the argument SOURCE_DATE_EPOCH too; without it the image has the times of its build. `secrets` are what
    the Dockerfile mounts, by their ids, and `ssh` is the private key behind its SSH mounts.
    """

    service: Service
    references: tuple[ImageReference, ...]
    dockerfile: str
    write_context: Callable[[BinaryIO], None]
    scratch: Path
    labels: Mapping[str, str] = field(default_factory=dict)
    contexts: Mapping[str, str] = field(default_factory=dict)
    fresh: bool = False
    epoch: int | None = None
    epoch_told: bool = False
    secrets: Mapping[str, SecretStr] = field(default_factory=dict)
    ssh: SecretStr | None = None
    cache: Cache = NO_CACHE

    @property
    def log(self) -> Path:
        """Where the whole output of the build lies afterwards."""
        return self.scratch / f"build-{self.service.name}.log"

    @property
    def arguments(self) -> dict[str, str]:
        """The build arguments; those of the configuration win."""
        told = {"SOURCE_DATE_EPOCH": str(self.epoch)} if self.epoch_told and self.epoch is not None else {}
        return told | dict(self.service.build_context.build_args)

    @property
    def all_labels(self) -> dict[str, str]:
        """The labels of the image; those of the configuration win."""
        return {**self.labels, **dict(self.service.build_context.labels)}


def origin(source: str, revision: str, epoch: int) -> dict[str, str]:
    """The labels that say where an image is from, by their OCI names: a function of the commit alone.

    `source` is the repository's address, `revision` the commit's SHA, and `epoch` its time in seconds since 1970.
    """
    created = datetime.fromtimestamp(epoch, UTC).isoformat().replace("+00:00", "Z")
    return {
        f"{_OCI}.source": source,
        f"{_OCI}.revision": revision,
        f"{_OCI}.version": revision,
        f"{_OCI}.created": created,
    }
