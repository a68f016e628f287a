"""What the tests of the engine share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import SecretStr

from deployments.local.git_server import GitServer
from deployments.local.github.server import GitHubStandIn
from tests.engine.forge import Forge
from tests.engine.shop import Shop, run
from tests.engine.target import Target


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop.opened(tmp_path)


@pytest.fixture
def target(shop: Shop, tmp_path: Path) -> Target:
    return Target(shop, tmp_path / "home")


@pytest.fixture
def competitor(shop: Shop, tmp_path: Path) -> Callable[[dict[str, str]], str]:
    """A function that commits to the origin from another clone, and returns the SHA."""

    def commit(files: dict[str, str]) -> str:
        other = Shop.__new__(Shop)
        other.path, other.origin = tmp_path / f"other-{len(list(tmp_path.iterdir()))}", shop.origin
        run("clone", "-q", str(shop.origin), str(other.path))
        return other.commit("Compete", files)

    return commit


@pytest.fixture
def forge(git_server: tuple[GitServer, SecretStr], github: GitHubStandIn, tmp_path: Path) -> Forge:
    return Forge(tmp_path, *git_server, github)
