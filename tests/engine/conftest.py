"""What the tests of the engine share."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pydantic import SecretStr

from deployments.local.git_server import GitServer
from deployments.local.github.server import GitHubStandIn
from tests.engine.blobless import Distant
from tests.engine.forge import Forge
from tests.engine.shop import Shop, run
from tests.engine.target import Target
from tests.fault_proxy import faulty


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


@pytest.fixture
def distant(shop: Shop, tmp_path: Path, git_server: tuple[GitServer, SecretStr]) -> Iterator[Distant]:
    server, password = git_server
    name = f"distant-{uuid.uuid4().hex[:8]}"
    url, path = server.create(name, protected=()), server.path(name)
    shop.run("remote", "set-url", "origin", str(path))
    shop.run("push", "-q", "origin", "main")
    with faulty(lambda: urlsplit(url).netloc) as proxy:
        yield Distant(shop, tmp_path / "home", proxy, path, password)
