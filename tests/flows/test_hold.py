"""The flow of holds upon a real repository, and the release that meets them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from prefect.client.schemas.objects import State

from argosy.holds import holds
from flows.hold import hold
from flows.release import release
from tests.flows.test_release import released, results
from tests.hosted import SERVICES, HostedShop


def held(shop: HostedShop, *services: str, **parameters: Any) -> State[Any]:
    asked = {"reason": "it loses baskets", "who": "Ada Lovelace"} | parameters
    return hold(shop.name, "dev", services=list(services), **asked, return_state=True)


@pytest.fixture
def adopted(hosted: HostedShop) -> HostedShop:
    for name in SERVICES:
        hosted.image(name)
    assert released(hosted, adopt=True).is_completed()
    return hosted


def changed(shop: HostedShop) -> str:
    """Change both services, with images of them in the registry."""
    source = shop.change(*SERVICES)
    for name in SERVICES:
        shop.image(name)
    return source


def test_what_is_held_is_not_released_until_it_is_lifted(adopted: HostedShop) -> None:
    changed(adopted)
    state, source = held(adopted, "ui"), adopted.tip
    assert (state.type.value, f"ui held in dev: {source[:12]}") == ("COMPLETED", state.message)
    done = released(adopted)
    assert (done.type.value, results(done)) == ("COMPLETED", {"ui": "held", "cart": "reused"})
    assert (source in adopted.values("ui"), source in adopted.values("cart")) == (False, True)
    assert held(adopted, "ui", lift=True).message == f"ui lifted in dev: {adopted.tip[:12]}"
    assert results(released(adopted))["ui"] == "reused"
    assert held(adopted, "ui", lift=True).message == "nothing to do"


def test_a_hold_on_a_content_lets_newer_content_pass(adopted: HostedShop) -> None:
    changed(adopted)
    assert held(adopted, "ui", content=True).is_completed()
    assert results(released(adopted))["ui"] == "held"
    newer = changed(adopted)
    released(adopted)
    assert newer in adopted.values("ui")


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"services": ["uii"]}, "no service uii"),
        ({"services": []}, "no service is named"),
        ({"services": ["ui"], "reason": ""}, "needs a reason"),
        ({"services": ["ui"], "until": datetime.now(UTC) - timedelta(days=1)}, "is past"),
        ({"services": ["uii"], "lift": True}, "no service uii"),
    ],
)
def test_what_makes_no_sense_changes_nothing_and_the_run_says_so(
    hosted: HostedShop, parameters: dict[str, Any], words: str
) -> None:
    before = hosted.tip
    asked = {"reason": "x", "who": "Ada"} | parameters
    state = hold(hosted.name, "dev", **asked, return_state=True)
    assert (state.type.value, state.name, words in (state.message or "")) == ("FAILED", "Wrong use", True)
    assert hosted.tip == before


def test_what_a_hand_changed_is_written_down_by_the_next_run_though_it_releases_nothing(adopted: HostedShop) -> None:
    adopted.run("pull", "-q", "origin", "main")
    hotfix = adopted.values("ui").replace(adopted.values("ui").split('tag: "')[1][:40], "1.0-hotfix")
    hand = adopted.commit("Fix it now", {"src/ui/chart/values-dev.yaml": f"{hotfix}\n"})
    state = released(adopted)
    assert (state.type.value, state.message) == ("COMPLETED", "nothing to do; ui held")
    [entry] = holds.read(adopted.read(), "main")
    assert (entry.service, entry.hand, entry.who) == ("ui", hand, "Dev")
    after = adopted.tip
    assert after != hand
    assert released(adopted).message == "nothing to do; ui held"
    assert adopted.tip == after
    assert release(adopted.name, "dev", dry_run=True, return_state=True).is_completed()


def test_a_dry_run_writes_no_hold_down(adopted: HostedShop) -> None:
    adopted.run("pull", "-q", "origin", "main")
    typed = "image:\n  repository: elsewhere.example/ui\n  tag: x\n"
    hand = adopted.commit("Try", {"src/ui/chart/values-dev.yaml": typed})
    assert released(adopted, dry_run=True).is_completed()
    assert adopted.tip == hand
