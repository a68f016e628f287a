"""The build cache in the registry: whose it is, what a builder without one of its own takes from it, and no more."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from argosy.builds import cache as build_cache
from argosy.builds import images
from argosy.builds.output import BuildOutput
from argosy.builds.request import Cache
from argosy.models import ImageReference
from argosy.registries.registry import is_tag
from deployments.local.ports import Port
from tests.engine.yard import DOCKERFILE, Yard, ran

IMAGE = ImageReference("registry.example/shop/ui", "1")


@pytest.mark.parametrize("branch", ["main", "release-1.2", "feature/x", "feature-x", "feature@x", "ü" * 30, "b" * 300])
def test_every_branch_has_a_tag_that_registries_take_and_its_own(branch: str) -> None:
    assert is_tag(build_cache.tag(branch))
    assert build_cache.tag(branch).startswith(build_cache.PREFIX)
    others = {"main", "release-1.2", "feature/x", "feature-x", "feature@x", "ü" * 30, "b" * 300, "b" * 299} - {branch}
    assert build_cache.tag(branch) not in map(build_cache.tag, others)


def test_a_build_takes_from_its_own_branch_first_then_from_others_and_leaves_its_own() -> None:
    there = {"cache-main", "cache-develop", "cache-other"}
    cache = build_cache.of(IMAGE, "develop", ["main", "develop", "lost"], there.__contains__)
    assert cache.imports == (f"{IMAGE.repository}:cache-develop", f"{IMAGE.repository}:cache-main")
    assert cache.export == f"{IMAGE.repository}:cache-develop"


@pytest.mark.e2e
def test_a_builder_that_has_nothing_takes_the_steps_of_another_from_the_registry(yard: Yard, tmp_path: Path) -> None:
    dockerfile = DOCKERFILE + "RUN echo a long step\n"
    kept = str(yard.reference("cache-main"))
    request = replace(yard.request(tmp_path, dockerfile, "one"), cache=Cache(export=kept))
    yard.build(request)
    assert ran("a long step", request.log.read_text())
    manifest = yard.manifest("cache-main")
    assert manifest["mediaType"] == "application/vnd.oci.image.manifest.v1+json"  # as ECR wants it
    yard.docker("buildx", "prune", "--all", "--force")
    yard.build(replace(yard.request(tmp_path, dockerfile, "two"), cache=Cache((kept,), kept)))
    assert not ran("a long step", request.log.read_text())


@pytest.mark.e2e
def test_an_image_is_known_to_be_pushed_before_its_cache_is_exported(yard: Yard, tmp_path: Path) -> None:
    output, known = BuildOutput(), list[str | None]()

    def on_line(line: str) -> None:
        if "exporting cache to registry" in line:
            known.append(output.pushed)
        output.add(line)

    request = replace(
        yard.request(tmp_path, DOCKERFILE + "RUN echo early\n"), cache=Cache(export=str(yard.reference("c")))
    )
    digest = images.build(request, yard.host, {yard.registry: yard.user}, on_line)
    assert known[0] == digest


@pytest.mark.e2e
def test_a_cache_that_cannot_be_kept_or_read_fails_no_build(yard: Yard, tmp_path: Path) -> None:
    port = Port()  # kept from everybody for the length of the test
    nobody = f"{port.host}/shop/ui:cache-main"
    yard.build(replace(yard.request(tmp_path, DOCKERFILE, "kept"), cache=Cache((nobody,), nobody)))
    assert json.dumps(yard.manifest("kept"))


@pytest.mark.e2e
def test_without_a_cache_nothing_but_the_image_is_pushed(yard: Yard, tmp_path: Path) -> None:
    yard.build(replace(yard.request(tmp_path, DOCKERFILE + "ENV B=2\n", "alone"), epoch=1))
    assert "exporting cache" not in (tmp_path / "build-ui.log").read_text()
