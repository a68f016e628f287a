"""A service whose registry does not answer: what a plan makes of an image in the registry that stands in for it."""

from __future__ import annotations

import pytest

from argosy.models import State
from argosy.standing import Presence
from tests.engine.planning import ABSENT, PRESENT, of
from tests.engine.shop import CONFIGURATION, Shop

AWAY = Presence(content=True, current=True, away=True)
SPARE = "spare.example/copies/ui"


@pytest.fixture
def shop(shop: Shop) -> Shop:
    text = CONFIGURATION.replace('"shop-{service}"}\n', '"shop-{service}", fallback: spare}\n', 1)
    spare = 'registries: {spare: {type: oci, endpoint: "spare.example", repository: "copies/{service}"}}\n'
    shop.commit("Have a spare registry", {"argosy.yaml": text.replace("services:\n", f"{spare}services:\n")})
    return shop


def released_to_the_spare(shop: Shop) -> None:
    """Release ui as a run does whose registry was away."""
    sha = shop.head
    shop.release("ui", sha)
    values = f'image:\n  repository: {SPARE}\n  tag: "{sha}"\nreplicas: 1\n'
    (shop.path / "src/ui/chart/values-dev.yaml").write_text(values)
    shop.run("commit", "-q", "-a", "--amend", "--no-edit")
    shop.run("push", "-q", "--force", "origin", "HEAD:main")


def test_an_image_stays_in_the_spare_registry_while_its_own_does_not_answer(shop: Shop) -> None:
    released_to_the_spare(shop)
    assert (of(shop, ui=AWAY).state, of(shop, ui=AWAY).wanted.repository) == (State.UNVERIFIED, SPARE)


@pytest.mark.parametrize(("presence", "state"), [(PRESENT, State.REUSE), (ABSENT, State.BUILD)])
def test_an_image_comes_home_once_its_own_registry_answers(shop: Shop, presence: Presence, state: State) -> None:
    released_to_the_spare(shop)
    item = of(shop, ui=presence)
    assert (item.state, item.wanted.repository) == (state, "registry.example:5000/shop-ui")
    assert f"its chart names the repository {SPARE}" in item.reason


def test_an_image_in_any_other_repository_stays_nowhere(shop: Shop) -> None:
    sha = shop.head
    shop.release("ui", sha, registry="elsewhere.example")
    assert of(shop, ui=AWAY).state is State.REUSE


def test_new_content_is_released_although_the_registry_is_away(shop: Shop) -> None:
    released_to_the_spare(shop)
    shop.commit("Edit", {"src/ui/main.txt": "other\n"})
    assert of(shop, ui=Presence(content=False, current=True, away=True)).state is State.BUILD
