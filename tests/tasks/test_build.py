"""The build stage on a real engine: with the secrets of its blocks, its caches, and what others built meanwhile."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from prefect.blocks.system import Secret
from prefect_docker import DockerHost
from pydantic import SecretStr

from argosy.builds import images
from argosy.errors import ConfigurationError
from argosy.home import run_folder
from argosy.models import BuildResult, BuildStatus, ImageReference
from argosy.registries.registry import Registry, RegistryCredentials
from deployments.local.registry import USER
from tasks.build import build
from tasks.builder_cache import cut_builder_cache
from tests.engine.yard import Yard, ran
from tests.hosted import HostedShop
from tests.tasks.stages import ENVIRONMENT, planned

pytestmark = pytest.mark.e2e

BASE = "FROM scratch\nCOPY busybox /bin/sh\n"


@pytest.fixture
def shop(hosted: HostedShop, yard: Yard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> HostedShop:
    """A shop whose worker has an engine, and in whose registry there is an image with a shell."""
    for name in ("PATH", "DOCKER_CONFIG"):
        monkeypatch.setenv(name, yard.host.environment[name])
    hosted.keep(DockerHost(base_url=yard.host.docker_host))
    host, password = hosted.cloud.registry.host, hosted.cloud.registry.password
    request = replace(yard.request(tmp_path, BASE), references=(ImageReference(f"{host}/shell", "1"),))
    images.build(request, yard.host, {host: RegistryCredentials(USER, password)}, lambda _line: None)
    return hosted


def steps(shop: HostedShop, *lines: str, settings: str = "{}", builder: str = "{}") -> None:
    """Commit a Dockerfile of the service ui, how it is built, and where."""
    text = (shop.path / "argosy.yaml").read_text()
    text = re.sub(r"\{ui: .*, cart", f"{{ui: {{build: {settings}}}, cart", text)
    text = re.sub(r"(    builder: .*\n)?    blocks:", f"    builder: {builder}\n    blocks:", text)
    dockerfile = "\n".join([f"FROM {shop.cloud.registry.host}/shell:1", "COPY main.txt /", *lines, ""])
    shop.commit("Build so", {"src/ui/Dockerfile": dockerfile, "argosy.yaml": text})


def built(shop: HostedShop) -> BuildResult:
    plan = planned(shop, ["ui"], adopt=True)
    return build.fn(shop.name, ENVIRONMENT, plan.source_sha, plan.to_write[0])


def named(shop: HostedShop, tag: str) -> str | None:
    """The manifest that the registry has under `tag`, of whatever kind it is."""
    registry = shop.cloud.registry
    with Registry(registry.host, RegistryCredentials(USER, registry.password)) as client:
        return client.digest_of(f"{shop.name}-ui", tag)


def log() -> str:
    return (run_folder("none") / "build-ui.log").read_text()


def test_what_the_registry_lacks_is_built_with_the_secrets_of_the_blocks(shop: HostedShop) -> None:
    Secret(value=SecretStr("a secret of 25 characters")).save(f"{shop.name}-npm", overwrite=True)
    mount = "RUN --mount=type=secret,id=npm,required=true wc -c </run/secrets/npm"
    steps(shop, mount, settings=f"{{secrets: {{npm: {shop.name}-npm}}}}")
    first = built(shop)
    assert first.status is BuildStatus.BUILT
    assert " 25\n" in log()
    assert "a secret of 25" not in log()
    assert {named(shop, first.content.tag), named(shop, shop.head)} == {first.manifest_digest}
    again = replace(built(shop), status=BuildStatus.BUILT, seconds=0)
    assert again == replace(first, seconds=0, steps=0, cached=0)


def test_a_secret_block_that_is_missing_is_named_before_anything_is_built(shop: HostedShop) -> None:
    steps(shop, settings="{secrets: {npm: nowhere}}")
    with pytest.raises(ConfigurationError, match="no secret block nowhere"):
        built(shop)


def test_the_cache_is_kept_for_the_branch_and_taken_up_by_the_next_build(shop: HostedShop, yard: Yard) -> None:
    steps(shop, "RUN echo a long step", "COPY new.txt /")
    shop.commit("One", {"src/ui/new.txt": "one\n"})
    built(shop)
    assert ran("a long step", log())
    assert named(shop, "cache-main")
    yard.docker("buildx", "prune", "--all", "--force")
    shop.commit("Two", {"src/ui/new.txt": "two\n"})
    built(shop)
    assert not ran("a long step", log())


def test_no_cache_is_kept_where_none_is_wanted(shop: HostedShop) -> None:
    steps(shop, settings="{cache: none}")
    built(shop)
    assert named(shop, "cache-main") is None


def test_of_two_runs_that_built_the_same_content_both_release_the_image_that_was_pushed_last(
    shop: HostedShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps(shop, "RUN echo late")
    item = planned(shop, ["ui"], adopt=True).to_write[0]
    mine, others = images.build, list[str]()

    def meanwhile(*arguments: object) -> str:
        digest: str = mine(*arguments)  # type: ignore[arg-type]
        others.append(shop.cloud.push(f"{shop.name}-ui", "another run's", item.content.tag))
        return digest

    monkeypatch.setattr(images, "build", meanwhile)
    assert [built(shop).manifest_digest] == others
    assert named(shop, shop.head) == others[0]


def test_the_builders_cache_is_cut_where_the_environment_says_so(shop: HostedShop, yard: Yard) -> None:
    steps(shop, "RUN echo to be cut")
    built(shop)
    cut_builder_cache.fn(shop.name, ENVIRONMENT, shop.head)
    assert "echo to be cut" in yard.docker("buildx", "du", "--verbose")
    steps(shop, "RUN echo to be cut", builder="{cache_size: 1KB}")
    assert planned(shop, ["ui"], adopt=True).cuts_cache
    cut_builder_cache.fn(shop.name, ENVIRONMENT, shop.head)
    assert "echo to be cut" not in yard.docker("buildx", "du", "--verbose")
