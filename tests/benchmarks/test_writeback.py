"""The benchmark of writing back: it notices what it is there to notice, and its writers do write."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from argosy.models import Change, WriteBack
from benchmarks.chronicle import Chronicle, Claim
from benchmarks.contest import Competitor, Contest
from deployments.local.git_server import DEVELOPER
from tests.engine.shop import Shop

VALUES = "src/{}/chart/values.yaml"


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    shop = Shop(tmp_path)
    shop.commit("Open", {VALUES.format(name): values("1.0") for name in ("ui", "cart")})
    return shop


def values(tag: str) -> str:
    return f'image:\n  repository: r\n  tag: "{tag}"\n'


def released(shop: Shop, source: str, run: str, *names: str) -> Claim:
    commit = shop.commit(f"Release\n\nArgosy-Run: {run}\n", {VALUES.format(name): values(source) for name in names})
    changes = tuple(Change(VALUES.format(name), "image.tag", "", source) for name in names)
    return Claim(run, source, WriteBack(commit, changes, names))


def faults(shop: Shop, *claims: Claim, theirs: tuple[str, ...] = ()) -> tuple[str, ...]:
    return Chronicle.read(shop.git, claims, theirs).faults


def test_a_history_in_which_everybody_finds_what_they_did_has_no_faults(shop: Shop) -> None:
    source = shop.head
    first, theirs = released(shop, source, "one", "ui", "cart"), shop.commit("Theirs", {"NOTES": "1\n"})
    assert faults(shop, first, released(shop, theirs, "two", "ui"), theirs=(theirs,)) == ()


def test_work_that_is_lost_doubled_or_set_back_is_found(shop: Shop) -> None:
    older = shop.head
    newer = shop.commit("Edit", {"a": "1\n"})
    first = released(shop, newer, "one", "ui")
    back = released(shop, older, "one", "ui")
    assert faults(shop, first, back) == ("one made 2 commits", f"ui went back to {older} in {back.written.commit}")
    assert faults(shop, theirs=("f" * 40,))[0] == f"{'f' * 40} of the other is lost"
    shop.run("reset", "-q", "--hard", "HEAD~2")
    assert any("is lost" in fault for fault in faults(shop, first))


def test_a_run_that_tells_of_more_than_it_wrote_is_found(shop: Shop) -> None:
    claim = released(shop, shop.head, "one", "ui")
    more = Change(VALUES.format("cart"), "image.tag", "", claim.source)
    told = Claim("one", claim.source, WriteBack(claim.written.commit, (*claim.written.changes, more), ("ui", "cart")))
    assert faults(shop, told) == (f"one's commit {claim.written.commit} is not what the run says that it wrote",)


def test_a_release_lands_among_the_commits_of_somebody_else(tmp_path: Path) -> None:
    with Contest(tmp_path, 2) as contest:
        competitor = Competitor(contest.mirror("theirs", DEVELOPER), 0.1)
        with competitor.competing():
            competitor.wait_for(1)
            claim = contest.release(contest.mirror("ours"), contest.names, f"run-{datetime.now(UTC)}")
        assert claim.written.released == contest.names
        assert Chronicle.read(contest.git, [claim], competitor.made).faults == ()
