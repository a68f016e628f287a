"""The parts of the embedded stack that several tests of it share; each is started once a run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from argosy.home import home
from deployments.local.aws import Aws
from deployments.local.bridge import Bridge
from deployments.local.process import free_port
from deployments.local.registry import Registry, binary


@dataclass(frozen=True, slots=True)
class Cloud:
    """A registry, the AWS account that it belongs to, and the bridge between them."""

    aws: Aws
    registry: Registry
    bridge: Bridge


@pytest.fixture(scope="session")
def packages() -> Path:
    """Where unpacked Debian packages stay from one run of the tests to the next."""
    return home() / "packages"


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory, packages: Path) -> Iterator[Cloud]:
    state = tmp_path_factory.mktemp("cloud")
    port = free_port()
    with Aws(state=state) as aws:
        password = aws.registry_password()
        with Bridge(aws, f"127.0.0.1:{port}", password, state=state) as bridge:
            registry = Registry(binary(packages), password, state=state, port=port, notify=bridge.url)
            with registry:
                yield Cloud(aws, registry, bridge)
