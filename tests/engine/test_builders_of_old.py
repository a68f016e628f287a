"""Builds on an engine without containerd's image store: the engine pushes, and what it cannot hold is refused."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from argosy.builds.builders import BuilderHost
from argosy.builds.request import Cache
from argosy.errors import Terminal
from argosy.models import BuildContext
from deployments.local.packages import unpack
from tests.engine.test_builders import OLD_CLIENT
from tests.engine.yard import DOCKERFILE, REPOSITORY, Yard, service

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def old_yard(tmp_path_factory: pytest.TempPathFactory, packages: Path) -> Iterator[Yard]:
    with Yard.started(tmp_path_factory.mktemp("old"), packages, image_store=False) as yard:
        yield yard


@pytest.fixture(params=["buildx", "inside"])
def host(request: pytest.FixtureRequest, old_yard: Yard, packages: Path, tmp_path: Path) -> BuilderHost:
    """A worker with either client."""
    if request.param == "buildx":
        return old_yard.host
    client = unpack([OLD_CLIENT], packages) / "usr/bin"
    return replace(old_yard.host, environment={"PATH": str(client), "DOCKER_CONFIG": str(tmp_path)})


def test_the_engine_pushes_what_it_built_and_names_its_digest(
    old_yard: Yard, host: BuilderHost, tmp_path: Path
) -> None:
    request = replace(old_yard.request(tmp_path, DOCKERFILE, "pushed", "again"), epoch=1_600_000_000)
    kept = str(old_yard.reference("cache-main"))
    digest = old_yard.build(replace(request, cache=Cache((kept,), kept)), host)
    with old_yard.client() as registry:
        assert [registry.digest_of(REPOSITORY, tag) for tag in ("pushed", "again")] == [digest, digest]
        assert registry.digest_of(REPOSITORY, "cache-main") is None
    assert "RUN echo" in request.log.read_text()
    assert [file.name for file in tmp_path.iterdir()] == ["build-ui.log"]


def test_a_step_that_fails_is_named(old_yard: Yard, host: BuilderHost, tmp_path: Path) -> None:
    with pytest.raises(Terminal, match=r"RUN echo boom; exit 3.*exit code: 3"):
        old_yard.build(old_yard.request(tmp_path, DOCKERFILE + "RUN echo boom; exit 3\n"), host)


@pytest.mark.parametrize(
    ("ours", "what"),
    [
        (service(context=BuildContext("a", "b", platform=("linux/amd64", "linux/arm64"))), "several platforms"),
        (replace(service(), build=replace(service().build, provenance="max")), "attestations"),
    ],
)
def test_what_its_store_cannot_hold_is_refused_with_the_remedy(
    old_yard: Yard, tmp_path: Path, ours: object, what: str
) -> None:
    request = replace(old_yard.request(tmp_path, DOCKERFILE), service=ours)  # type: ignore[arg-type]
    with pytest.raises(Terminal, match=f"{what}.*containerd-snapshotter"):
        old_yard.build(request)
