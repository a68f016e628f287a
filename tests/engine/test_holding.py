"""Holds put, lifted and met at the moment of writing, on a real remote, whoever else writes there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from argosy import trailers
from argosy.errors import ConfigurationError, WrongUse
from argosy.holds import holding, holds
from argosy.holds.request import HoldRequest, check
from argosy.holds.request import holds as asked_for
from argosy.models import Hold, Plan, State
from argosy.moments import moment
from tests.engine.planning import of, planned
from tests.engine.shop import Shop, run
from tests.engine.target import NOW, Target

Competitor = Callable[[dict[str, str]], str]
UI = Hold("ui", "dev", "it loses baskets", "Ada Lovelace", NOW)


def on_file(target: Target) -> tuple[Hold, ...]:
    return holds.read(target.shop.git, pulled(target))


def pulled(target: Target) -> str:
    """The tip of main, which the work tree is on then."""
    target.shop.run("pull", "-q", "origin", "main")
    return target.shop.head


def content(target: Target, service: str = "ui") -> Hold:
    found = target.shop.digests().desired(target.shop.head)[service]
    return replace(UI, service=service, digest=found.hex, recipe=found.recipe, commit=target.shop.head)


def test_a_hold_is_one_commit_that_changes_its_file_alone_and_is_no_release(target: Target) -> None:
    done = holding.put(target.writer, [UI])
    assert (on_file(target), done.services) == ((UI,), ("ui",))
    assert done.commit == target.shop.head
    assert target.log() == ["Hold ui in dev [skip ci]", "Open the shop"]
    assert target.shop.run("diff", "--name-only", "HEAD~1") == holds.FILE
    assert trailers.records(target.shop.git, "HEAD", "dev") == ()
    assert "it loses baskets (Ada Lovelace" in target.shop.run("log", "-1", "--format=%b")


def test_asked_twice_it_is_written_once(target: Target) -> None:
    holding.put(target.writer, [UI])
    again = holding.put(target.writer, [replace(UI, since=NOW + timedelta(minutes=1))])
    assert (again.commit, again.services, len(target.log())) == (None, (), 2)
    other = replace(UI, reason="Bob wants it too", who="Bob")
    assert holding.put(target.writer, [other]).commit
    assert on_file(target) == (UI, other)


def test_two_people_who_hold_at_once_both_win(target: Target, tmp_path: Path) -> None:
    other = Target(target.shop, tmp_path / "elsewhere")
    theirs, fetch, first = replace(UI, service="cart", who="Bob"), target.mirror.update, [True]

    def update_and_be_late() -> None:
        fetch()
        if first and first.pop():
            holding.put(other.writer, [theirs])

    target.mirror.update = update_and_be_late  # type: ignore[method-assign] # the race, made certain
    holding.put(target.writer, [UI])
    assert on_file(target) == (theirs, UI)


def test_a_lift_ends_every_hold_on_the_service_there_and_no_other(target: Target) -> None:
    others = (replace(UI, service="cart"), replace(UI, environment="prod"))
    holding.put(target.writer, [UI, *others, content(target)])
    done = holding.lift(target.writer, ["ui"], [], NOW)
    assert (bool(done.commit), done.services, on_file(target)) == (True, ("ui",), others)
    assert holding.lift(target.writer, ["ui"], [], NOW).commit is None


def test_a_wrong_file_is_neither_read_nor_written_over(target: Target) -> None:
    target.shop.commit("Slip", {holds.FILE: "holds: [{service: ui}]\n"})
    before = target.log()
    with pytest.raises(ConfigurationError, match=r"holds\.yaml:1"):
        holding.put(target.writer, [UI])
    with pytest.raises(ConfigurationError, match=r"holds\.yaml:1"):
        holding.lift(target.writer, ["ui"], [], NOW)
    assert target.log() == before


# what people ask for


def request(**more: object) -> HoldRequest:
    return replace(HoldRequest(("ui",), "it loses baskets", "Ada"), **more)  # type: ignore[arg-type] # as given


def test_a_hold_on_a_content_names_it_by_digest_and_commit_and_one_on_a_service_does_not(shop: Shop) -> None:
    contents, environment = shop.digests().desired(shop.head), shop.environment()
    [whatever] = asked_for(environment, request(), NOW, shop.head, {})
    [alone] = asked_for(environment, request(content=True), NOW, shop.head, contents)
    assert (whatever.digest, whatever.commit) == (None, None)
    assert (alone.digest, alone.commit) == (contents["ui"].hex, shop.head)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"services": ()}, "no service is named"),
        ({"services": ("uii",)}, "no service uii"),
        ({"reason": " \n"}, "needs a reason"),
        ({"who": ""}, "needs a name"),
        ({"reason": "x" * 1001}, "at most 1000"),
        ({"until": datetime(2030, 1, 1)}, "no zone"),  # noqa: DTZ001 # that is the point
        ({"until": NOW}, "is past"),
    ],
)
def test_what_makes_no_sense_is_refused(shop: Shop, more: dict[str, object], words: str) -> None:
    with pytest.raises((WrongUse, ConfigurationError), match=words):
        check(shop.environment(), request(**more), NOW)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("90m", NOW + timedelta(minutes=90)),
        ("2w", NOW + timedelta(weeks=2)),
        ("2030-01-01T10:00:00+02:00", datetime(2030, 1, 1, 8, tzinfo=UTC)),
        ("2030-01-01T10:00Z", datetime(2030, 1, 1, 10, tzinfo=UTC)),
    ],
)
def test_an_end_is_a_time_with_its_zone_or_a_while(text: str, found: datetime) -> None:
    assert moment(text, NOW) == found


@pytest.mark.parametrize("text", ["", "soon", "0h", "5y", "2030-01-01", "2030-01-01T10:00:00", "2020-01-01T00:00:00Z"])
def test_an_end_that_is_none_or_past_is_refused(text: str) -> None:
    with pytest.raises(WrongUse):
        moment(text, NOW)


# met at the moment of writing


@pytest.mark.parametrize("kept", [None, "digest", "commit"])
def test_a_hold_put_after_the_plan_stops_its_service_and_the_others_are_written(
    target: Target, kept: str | None
) -> None:
    source, releases = target.shop.head, [target.release("ui"), target.release("cart")]
    hold = replace(UI, **{kept: getattr(content(target), kept)}) if kept else UI
    holding.put(replace(target.writer, run="person"), [hold])
    written = target.writer.write_back(source, releases)
    assert (list(written.held), written.released, written.left_out) == (["ui"], ("cart",), {})
    assert "it loses baskets (Ada Lovelace" in written.held["ui"]
    assert "1.0" in target.read("src/ui/chart/values-dev.yaml")


def test_a_hold_that_lands_between_the_read_and_the_push_stops_its_service_all_the_same(
    target: Target, competitor: Competitor
) -> None:
    source, releases, fetch, first = target.shop.head, [target.release("ui")], target.mirror.update, [True]
    text = f"holds:\n  - {{service: ui, environment: dev, reason: x, who: y, since: '{NOW.isoformat()}'}}\n"

    def update_and_be_late() -> None:
        fetch()
        if first and first.pop():
            competitor({holds.FILE: text})

    target.mirror.update = update_and_be_late  # type: ignore[method-assign] # the race, made certain
    written = target.writer.write_back(source, releases)
    assert (list(written.held), written.commit) == (["ui"], None)
    assert target.log() == ["Compete", "Open the shop"]


@pytest.mark.parametrize(
    "other",
    [
        {"environment": "prod"},
        {"service": "cart"},
        {"until": NOW},
        {"digest": "0" * 64, "commit": "1" * 40},
    ],
)
def test_a_hold_of_another_or_one_that_has_expired_stops_nothing(target: Target, other: dict[str, str]) -> None:
    source, release = target.shop.head, target.release("ui")
    holding.put(target.writer, [replace(UI, **other)])  # type: ignore[arg-type] # of several types
    assert target.writer.write_back(source, [release]).released == ("ui",)


def test_a_hold_put_after_our_push_does_not_hide_that_it_was_ours(target: Target) -> None:
    source, releases = target.shop.head, [target.release("ui")]
    commit = target.writer.write_back(source, releases).commit
    holding.put(replace(target.writer, run="person"), [UI])
    again = target.writer.write_back(source, releases)
    assert (again.commit, again.released, again.held) == (commit, ("ui",), {})


def test_a_file_of_holds_that_became_wrong_writes_nothing(target: Target) -> None:
    source, release = target.shop.head, target.release("ui")
    target.shop.commit("Slip", {holds.FILE: "holds: x\n"})
    with pytest.raises(ConfigurationError, match=r"holds\.yaml:1"):
        target.writer.write_back(source, [release])


# what hands hold, written down


@pytest.fixture
def by_hand(target: Target) -> Target:
    """Released, and then set to a hotfix by somebody."""
    target.shop.release("ui", target.shop.head)
    target.shop.set_by_hand("ui", "1.0-hotfix")
    return target


def plan(target: Target) -> Plan:
    pulled(target)
    return planned(target.shop)


def write_down(target: Target) -> str | None:
    found = plan(target)
    return target.writer.write_back(found.source_sha, [], by_hand=found.by_hand).commit


def test_what_a_hand_holds_is_written_down_once_and_reads_the_same(by_hand: Target) -> None:
    before = of(by_hand.shop).hold
    commit = write_down(by_hand)
    assert by_hand.log()[0] == "Hold ui in dev [skip ci]"
    assert commit == pulled(by_hand)
    after = of(by_hand.shop)
    assert (after.state, before) == (State.HELD, replace(after.hold, written=False) if after.hold else None)
    assert (plan(by_hand).by_hand, write_down(by_hand)) == ((), None)


def test_it_goes_into_the_release_commit_where_there_is_one(by_hand: Target) -> None:
    found, before = plan(by_hand), len(by_hand.log())
    written = by_hand.writer.write_back(found.source_sha, [by_hand.release("cart")], by_hand=found.by_hand)
    assert (written.released, len(by_hand.log())) == (("cart",), before + 1)
    assert [hold.service for hold in on_file(by_hand)] == ["ui"]
    assert {record.service for record in trailers.records(by_hand.shop.git, "HEAD", "dev")} == {"cart", "ui"}


def test_newer_content_lifts_it_and_content_that_comes_back_is_held_still(by_hand: Target) -> None:
    write_down(by_hand)
    pulled(by_hand)
    newer = by_hand.shop.commit("Mend", {"src/ui/main.txt": "ui two\n"})
    assert of(by_hand.shop).state is State.BUILD
    by_hand.shop.release("ui", newer)
    by_hand.shop.commit("Take back", {"src/ui/main.txt": "ui one\n"})
    assert of(by_hand.shop).state is State.HELD


def test_the_wanted_reference_put_there_lifts_it(by_hand: Target) -> None:
    write_down(by_hand)
    source = pulled(by_hand)
    by_hand.shop.set_by_hand("ui", source)
    assert of(by_hand.shop).state is State.UNVERIFIED


@pytest.mark.parametrize("on_record", [False, True])
def test_a_lifted_hold_of_a_hand_comes_back_by_no_run(by_hand: Target, on_record: bool) -> None:
    if on_record:
        write_down(by_hand)
    held = [hold for hold in (of(by_hand.shop).hold,) if hold]
    later = datetime.now(UTC).replace(microsecond=0)
    assert holding.lift(by_hand.writer, ["ui"], held, later).services == ("ui",)
    pulled(by_hand)
    item = of(by_hand.shop)
    assert (item.state, item.hold, plan(by_hand).by_hand) == (State.BUILD, None, ())
    assert holding.lift(by_hand.writer, ["ui"], [], later).commit is None


def test_another_hand_after_a_lift_holds_again(by_hand: Target) -> None:
    holding.lift(by_hand.writer, ["ui"], plan(by_hand).by_hand, datetime.now(UTC))
    pulled(by_hand)
    by_hand.shop.set_by_hand("ui", "1.1-hotfix")
    assert of(by_hand.shop).state is State.HELD
    assert len(plan(by_hand).by_hand) == 1


def test_two_runs_that_write_a_hand_down_at_once_write_it_once(by_hand: Target, tmp_path: Path) -> None:
    found = plan(by_hand)
    other = Target(by_hand.shop, tmp_path / "elsewhere")
    for target in (by_hand, other):
        target.writer.write_back(found.source_sha, [], by_hand=found.by_hand)
    assert len(on_file(by_hand)) == 1
    assert run("-C", str(by_hand.shop.origin), "rev-list", "--count", "main") == "4"
