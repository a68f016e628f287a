"""How images are built, and where: nothing of it is an input of an image, so no content digest covers it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """What the steps of a build may take of the builder's machine.

    `cgroup_parent` is the control group below which they run, `shm_size` the bytes of their /dev/shm; `ulimits` are the
    resource limits of each of their processes, soft and hard alike.
    """

    cgroup_parent: str | None = None
    shm_size: int | None = None
    ulimits: tuple[tuple[str, int], ...] = ()


NO_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class BuildOptions:
    """How a service's image is built.

    `secrets` are the ids that the Dockerfile mounts, and for each the Prefect block that has it; `ssh` is the block
    that has the key of its SSH mounts. With `cache` the registry keeps the build's cache. `provenance` (min or max) and
    `sbom` (`true`, or the image of a generator) are attestations.
    """

    secrets: tuple[tuple[str, str], ...] = ()
    ssh: str | None = None
    cache: bool = True
    provenance: str | None = None
    sbom: str | None = None
    limits: Limits = NO_LIMITS


PLAINLY = BuildOptions()
"""How an image is built of which nothing more is said."""


@dataclass(frozen=True, slots=True)
class Builder:
    """Where an environment's images are built: by the engine of its `docker` block, unless something is said here.

    `name` is a builder of the worker's own buildx; `address` that of a BuildKit daemon, and `tls` the block with the
    files that open it. `concurrency` bounds the builds of a run at once; `cache_size` (bytes) what the builder's cache
    keeps. `cache_branches` are further branches whose cache is used; None for the remote's default branch.
    """

    name: str | None = None
    address: str | None = None
    tls: str | None = None
    concurrency: int | None = None
    cache_size: int | None = None
    cache_branches: tuple[str, ...] | None = None


HERE = Builder()
"""The engine of the environment's docker block."""
