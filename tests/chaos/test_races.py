"""Others write while a run does: compare-and-swap decides, and nobody's work is lost."""

from __future__ import annotations

import uuid

from deployments.local.git_server import BOT
from tests.chaos.faults import Underway, until
from tests.chaos.soundness import assert_sound, drafted_upon
from tests.e2e.store import Store


def test_a_competitors_commit_between_fetch_and_push_survives_and_so_does_the_release(adopted: Store) -> None:
    git, name = adopted.stack.git, adopted.stack.repository
    source, text = adopted.change("ui"), f"{uuid.uuid4()}\n"
    with git.hold(name, BOT):
        run = Underway.begin(adopted)
        until(lambda: git.holding(name))
        competitor = adopted.change(**{"README.md": text})
    ended = run.end()
    assert ended.state == "COMPLETED", ended.message
    assert adopted.since(source) == [adopted.head, competitor]
    assert adopted.since(competitor) == [adopted.head]
    assert adopted.read("README.md") == text
    assert adopted.references()["ui"].tag == source
    assert drafted_upon(adopted, run.id) == {source, competitor}
    assert_sound(adopted, competitor)


def test_two_runs_of_the_same_change_release_it_once_and_both_end_well(adopted: Store) -> None:
    git, name = adopted.stack.git, adopted.stack.repository
    source = adopted.change("cart")
    with git.hold(name, BOT):
        runs = [Underway.begin(adopted), Underway.begin(adopted)]
        until(lambda: git.holding(name) and all(run.writes() for run in runs))
    ended = [run.end() for run in runs]
    assert [each.state for each in ended] == ["COMPLETED"] * 2, [each.message for each in ended]
    assert adopted.references()["cart"].tag == source
    assert_sound(adopted, source)


def test_of_two_commits_that_are_released_at_once_the_older_never_wins(adopted: Store) -> None:
    mark, file = uuid.uuid4().hex, "src/catalog/Dockerfile"
    older = adopted.change("catalog", "orders", **{file: f"{adopted.read(file)}RUN sleep 2; : {mark}\n"})
    first = Underway.begin(adopted, {"source_sha": older})
    until(lambda: first.building(mark))
    with first.suspended():  # before it writes: it would keep the others of its machine from their turn
        newer = adopted.change("catalog")
        second = adopted.release()
        assert second.state == "COMPLETED", second.message
    ended = first.end()
    assert ended.state == "COMPLETED", ended.message
    assert adopted.results(ended)["catalog"] == "superseded"
    assert {adopted.references()[name].tag for name in ("catalog", "orders")} == {newer}
    assert_sound(adopted, newer)
