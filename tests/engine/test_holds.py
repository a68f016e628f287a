"""The file of holds on the target branch: what it covers, for how long, and what is wrong with it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from argosy.errors import ConfigurationError
from argosy.holds import holds
from argosy.models import State
from tests.engine.planning import of, planned
from tests.engine.shop import Shop

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def entry(**more: str) -> str:
    fields = {
        "service": "ui",
        "environment": "dev",
        "reason": "it loses baskets",
        "who": "Ada Lovelace",
        "since": (NOW - timedelta(days=1)).isoformat(),
    }
    return "  - {" + ", ".join(f'{key}: "{value}"' for key, value in (fields | more).items()) + "}\n"


def hold(shop: Shop, *entries: str) -> str:
    return shop.commit("Hold", {holds.FILE: "version: 1\nholds:\n" + "".join(entries)})


@pytest.fixture
def bad(shop: Shop) -> Shop:
    """Released, and then changed to content that is to be held."""
    shop.release("ui", shop.head)
    shop.commit("Edit", {"src/ui/main.txt": "bad\n"})
    return shop


def digest(shop: Shop) -> str:
    return shop.digests().desired(shop.head)["ui"].hex


def test_held_content_is_not_released_and_the_plan_says_by_whom_and_how_to_lift_it(bad: Shop) -> None:
    hold(bad, entry(digest=digest(bad)))
    item = of(bad, at=NOW)
    assert item.state is State.HELD
    assert all(
        word in item.reason for word in ("it loses baskets", "Ada Lovelace", "2026-11-23", "argosy hold ui --lift")
    )
    assert item.hold is not None
    assert not item.hold.by_hand
    assert planned(bad, at=NOW).nothing_to_do


def test_newer_content_is_released_past_a_hold_on_a_content(bad: Shop) -> None:
    hold(bad, entry(digest=digest(bad)))
    bad.commit("Mend", {"src/ui/main.txt": "good\n"})
    assert of(bad, at=NOW).state is State.BUILD


def test_a_hold_without_content_holds_whatever_comes(bad: Shop) -> None:
    hold(bad, entry())
    bad.commit("Mend", {"src/ui/main.txt": "good\n"})
    assert of(bad, at=NOW).state is State.HELD


def test_a_hold_survives_a_recipe_that_is_not_known_by_its_commit(bad: Shop) -> None:
    hold(bad, entry(digest="0" * 64, recipe="0", commit=bad.head))
    assert of(bad, at=NOW).state is State.HELD
    bad.commit("Mend", {"src/ui/main.txt": "good\n"})
    assert of(bad, at=NOW).state is State.BUILD


def test_a_hold_on_a_commit_that_is_gone_covers_nothing_else(bad: Shop) -> None:
    hold(bad, entry(digest="0" * 64, recipe="0", commit="1" * 40))
    assert of(bad, at=NOW).state is State.BUILD


def test_a_hold_ends_when_it_says(bad: Shop) -> None:
    until = NOW + timedelta(hours=1)
    hold(bad, entry(until=until.isoformat()))
    assert of(bad, at=NOW).state is State.HELD
    assert f"until {until:%Y-%m-%d %H:%M} UTC" in of(bad, at=NOW).reason
    assert of(bad, at=until).state is State.BUILD


@pytest.mark.parametrize("other", [{"environment": "prod"}, {"service": "cart"}])
def test_a_hold_of_another_holds_nothing_here(bad: Shop, other: dict[str, str]) -> None:
    hold(bad, entry(**other))
    assert of(bad, at=NOW).state is State.BUILD


def test_one_of_several_holds_is_enough(bad: Shop) -> None:
    expired = entry(until=(NOW - timedelta(hours=1)).isoformat())
    hold(bad, expired, entry(digest="0" * 64), entry(digest=digest(bad), reason="this one"))
    assert "this one" in of(bad, at=NOW).reason


def test_what_is_unknown_is_said_before_what_is_held(bad: Shop) -> None:
    hold(bad, entry(service="cart"))
    assert of(bad, "cart", at=NOW).state is State.UNKNOWN


def test_a_hold_changes_no_digest(bad: Shop) -> None:
    before = digest(bad)
    hold(bad, entry())
    assert digest(bad) == before


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("version: 1\nholds:\n  - {service: ui}\n", r"holds\.yaml:3:\d+: .*environment is missing"),
        (f"version: 1\nholds:\n{entry(untill='x')}", r"holds\.yaml:3:\d+: .*untill is not a known key.*until"),
        (f"version: 1\nholds:\n{entry(since='2026-11-24T10:00:00')}", r"holds\.yaml:3:\d+: .*since is wrong.*timezone"),
        (f"version: 1\nholds:\n{entry(digest='abc')}", r"holds\.yaml:3:\d+: .*digest is wrong"),
        ("- {service: ui}\n", r"holds\.yaml:1:1: .*must be a mapping"),
        ("holds: [\n", r"holds\.yaml:2:1"),
    ],
)
def test_a_wrong_file_of_holds_releases_nothing_and_says_where(bad: Shop, text: str, message: str) -> None:
    bad.commit("Hold", {holds.FILE: text})
    with pytest.raises(ConfigurationError, match=message):
        planned(bad)


@pytest.mark.parametrize("text", ["", "[]\n", "version: 1\n", "version: 1\nholds: []\n", "# nothing\n"])
def test_a_file_that_holds_nothing_is_none(text: str) -> None:
    assert holds.parse(text.encode()) == ()
