"""The container engine that builds, as prefect-docker's block describes it."""

from __future__ import annotations

from prefect_docker import DockerHost

from argosy.images import BuilderHost


def builder_host(block: DockerHost) -> BuilderHost:
    """Where the build client finds the engine: the block's address, else what the worker's environment names."""
    return BuilderHost(block.base_url or None)
