"""The stages of a release whose services live in two registries, each with a login of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import SecretStr

from argosy.home import home
from argosy.models import BuildStatus, State
from argosy.registries.registry import Registry as Client
from argosy.registries.registry import RegistryCredentials
from blocks.container_registry import ContainerRegistry
from deployments.local.registry import USER, Registry, binary
from tasks.tags import move_tags
from tasks.write_back import write_back
from tests.deployments import images
from tests.hosted import HostedShop
from tests.tasks.stages import ENVIRONMENT, planned, reused

PASSWORD = SecretStr("of the other registry alone")


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The registry that cart lives in."""

    registry: Registry
    shop: HostedShop

    def image(self, *tags: str) -> str:
        """Push cart's image as it is at the work tree's commit, and return its digest."""
        content = self.shop.digests().desired(self.shop.head)["cart"]
        with images.client(self.registry) as http:
            return images.put(http, "there/cart", images.manifest(http, "there/cart", content.hex), content.tag, *tags)

    def digest(self, tag: str) -> str | None:
        """What `tag` of cart names there."""
        with Client(self.registry.host, RegistryCredentials(USER, PASSWORD)) as client:
            return client.digest_of("there/cart", tag)


@pytest.fixture
def elsewhere(hosted: HostedShop, tmp_path: Path) -> Iterator[Elsewhere]:
    with Registry(binary(home() / "packages"), PASSWORD, state=tmp_path / "elsewhere") as registry:
        further = f'registries: {{other: {{type: oci, endpoint: "{registry.host}", repository: "there/{{service}}"}}}}'
        services = "services: {ui: {}, cart: {registry: other}}"
        hosted.configure("services: {ui: {}, cart: {}}", f"{further}\n{services}")
        own = f"registries: {{other: {{blocks: {{registry: {hosted.name}-other}}}}}}"
        hosted.configure("    blocks:", f"    {own}\n    blocks:")
        ContainerRegistry(username=USER, token=PASSWORD).save(f"{hosted.name}-other")
        yield Elsewhere(registry, hosted)


def test_each_image_is_looked_up_tagged_and_moved_where_its_service_lives(
    hosted: HostedShop, elsewhere: Elsewhere
) -> None:
    here, there = hosted.image("ui"), elsewhere.image()
    plan = planned(hosted, adopt=True)
    assert {item.name: item.state for item in plan.services} == {"ui": State.REUSE, "cart": State.REUSE}
    results = reused(hosted, plan)
    assert [result.status for result in results] == [BuildStatus.REUSED] * 2
    write_back.fn(hosted.name, plan, results)
    assert f"repository: {elsewhere.registry.host}/there/cart\n" in hosted.values("cart")
    move_tags.fn(hosted.name, ENVIRONMENT, plan.source_sha, ("ui", "cart"))
    for tag in (plan.source_sha, "latest", "deployed-dev"):
        assert (hosted.digest("ui", tag), elsewhere.digest(tag)) == (here, there)
    assert hosted.digest("cart", plan.source_sha) is None
    with hosted.ecr() as ecr:
        assert ecr.describe_repositories(repositoryNames=[f"{hosted.name}-ui"])["repositories"]
        with pytest.raises(ecr.exceptions.RepositoryNotFoundException):
            ecr.describe_repositories(repositoryNames=[f"{hosted.name}-cart"])


def test_a_service_that_moves_to_another_registry_is_released_again_from_there(
    hosted: HostedShop, elsewhere: Elsewhere
) -> None:
    hosted.image("ui")
    elsewhere.image()
    plan = planned(hosted, adopt=True)
    write_back.fn(hosted.name, plan, reused(hosted, plan))
    hosted.run("pull", "-q", "origin", "main")
    hosted.configure("cart: {registry: other}", "cart: {}")
    hosted.image("cart")
    moved = {item.name: item for item in planned(hosted).services}
    assert (moved["ui"].state, moved["cart"].state) == (State.UNCHANGED, State.REUSE)
    assert f"names the repository {elsewhere.registry.host}/there/cart" in moved["cart"].reason
