"""The tags of an image on a real registry."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from argosy.errors import Terminal
from argosy.home import home
from argosy.inputs.base_images import look_up
from argosy.inputs.comparison import Compared
from argosy.models import ContentDigest, ImageReference
from argosy.registries import publishing
from argosy.registries.registry import Manifest, Registry
from argosy.standing import Presence, Situation
from argosy.state import Released
from deployments.local.packages import unpack
from deployments.local.registry import Registry as Distribution
from tests.engine.shop import CONFIGURATION, Shop
from tests.engine.test_registry import CREDENTIALS, PASSWORD
from tests.engine.test_registry import image as push

SHA = "1" * 40


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    packages = unpack(["busybox-static", "docker-registry"], home() / "packages")
    state = tmp_path_factory.mktemp("registry")
    binary = packages / "usr/bin/docker-registry"
    with Distribution(binary, PASSWORD, state=state) as running, Registry(running.host, CREDENTIALS) as client:
        yield client


def pushed(registry: Registry, name: str, text: str) -> Manifest:
    manifest = push(registry.host, name, text=text)
    registry.tag(name, manifest, f"content-{text}")
    return manifest


def reference(registry: Registry, name: str) -> ImageReference:
    return ImageReference(f"{registry.host}/{name}", SHA)


def test_a_free_tag_is_taken_and_kept(registry: Registry) -> None:
    manifest, image = pushed(registry, "free", "a"), reference(registry, "free")
    assert publishing.tag_release(registry, image, manifest) == image
    assert publishing.tag_release(registry, image, manifest) == image
    assert registry.digest_of("free", SHA) == manifest.digest


def test_a_tag_that_names_another_image_stays_and_the_long_form_is_used(registry: Registry) -> None:
    one, two = pushed(registry, "taken", "a"), pushed(registry, "taken", "b")
    image = publishing.tag_release(registry, reference(registry, "taken"), one)
    long = publishing.tag_release(registry, image, two)
    assert long.tag == f"{SHA}-{two.digest[7:19]}"
    assert long.commit == SHA
    assert (registry.digest_of("taken", image.tag), registry.digest_of("taken", long.tag)) == (one.digest, two.digest)


def test_no_reference_is_returned_that_names_another_image(registry: Registry) -> None:
    one, two = pushed(registry, "both", "a"), pushed(registry, "both", "b")
    registry.tag("both", one, SHA)
    registry.tag("both", one, f"{SHA}-{two.digest[7:19]}")
    with pytest.raises(Terminal, match=r"both name other images \(delete the tag"):
        publishing.tag_release(registry, reference(registry, "both"), two)


def test_moving_tags_move_once_and_never_to_an_image_that_is_gone(registry: Registry) -> None:
    one, two = pushed(registry, "move", "a"), pushed(registry, "move", "b")
    image = publishing.tag_release(registry, reference(registry, "move"), one)
    registry.tag("move", two, "latest")
    assert publishing.move(registry, image, ["latest", "deployed-dev"]) == ("latest", "deployed-dev")
    assert publishing.move(registry, image, ["latest", "deployed-dev"]) == ()
    assert publishing.move(registry, image.tagged("gone"), ["latest"]) == ()
    assert registry.digest_of("move", "latest") == one.digest


def surveyed(registry: Registry, shop: Shop, tag: str, *, same: bool) -> dict[str, Presence]:
    """What the registry is said to have of ui, whose chart names `tag`, and of cart, whose chart names another one.

    It has an image of each at SHA, and of cart's content.
    """
    shop.commit("Move", {"argosy.yaml": CONFIGURATION.replace("registry.example:5000", registry.host)})
    environment = shop.environment()
    content = ContentDigest("c" * 64)
    for service in environment.services:
        manifest = pushed(registry, service.ecr_repository, "a")
        registry.tag(service.ecr_repository, manifest, SHA)
    registry.tag("shop-cart", manifest, content.tag)
    desired = {service.name: content for service in environment.services}
    ui = environment.image(environment.service("ui"), tag)
    elsewhere = ImageReference("elsewhere.example/shop-cart", SHA)
    released = {"ui": Released(ui, known=True), "cart": Released(elsewhere, known=True)}
    compared = {name: Compared(same) for name in released}
    situation = Situation(SHA, SHA, desired, released, compared)
    return publishing.presence(lambda host: Registry(host, CREDENTIALS), environment, situation)


@pytest.mark.parametrize(("tag", "current"), [(SHA, True), ("gone", False), ("", False), ("no tag/at all", False)])
def test_what_is_released_is_looked_up_and_where_it_is_gone_another_image_of_it(
    registry: Registry, shop: Shop, tag: str, current: bool
) -> None:
    found = surveyed(registry, shop, tag, same=True)
    assert found["ui"] == Presence(content=current, current=current)


@pytest.mark.parametrize("tag", [SHA, "gone", "", "no tag/at all"])
def test_of_content_that_differs_the_registry_is_asked_for_that_alone_whatever_a_chart_says(
    registry: Registry, shop: Shop, tag: str
) -> None:
    found = surveyed(registry, shop, tag, same=False)
    assert found == {"ui": Presence(content=False, current=True), "cart": Presence(content=True, current=True)}


def test_base_images_are_looked_up_by_their_tags_and_those_that_are_not_there_left_out(registry: Registry) -> None:
    manifest = pushed(registry, "base", "a")
    registry.tag("base", manifest, "1")
    asked = [f"{registry.host}/base:1", f"{registry.host}/base:2", f"{registry.host}/nowhere"]
    found = look_up(asked, lambda host: Registry(host, CREDENTIALS))
    assert found == {asked[0]: manifest.digest}
