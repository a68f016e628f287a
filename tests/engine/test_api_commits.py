"""Commits that GitHub makes: by compare and swap upon the target's head, signed, and nobody's work lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from argosy import trailers
from argosy.errors import ConfigurationError, Terminal, Transient
from argosy.github.api_commits import ApiCommits
from argosy.github.client import GitHub, Verification
from argosy.gitops.patience import Pace, Patience
from argosy.gitops.transfer_errors import PushRejected
from argosy.gitops.writer import Writer
from tests.engine.forge import Forge


@contextmanager
def committing(forge: Forge, run: str = "run-1", kind: type[GitHub] = GitHub) -> Iterator[Writer]:
    with kind(forge.github.url, forge.github.repository(forge.name), forge.token) as client:
        yield replace(forge.writer(run), delivery=ApiCommits(client))


def write(forge: Forge, *services: str, run: str = "run-1", kind: type[GitHub] = GitHub) -> Any:
    with committing(forge, run, kind) as writer:
        return writer.write_back(forge.shop.head, [forge.release(name) for name in services])


@pytest.fixture
def unprotected(forge: Forge) -> Forge:
    forge.protect()
    return forge


def racing(forge: Forge, times: int, files: Callable[[int], dict[str, str]]) -> type[GitHub]:
    """A client before whose commits somebody else's push comes, so many times."""

    class Racing(GitHub):
        beaten = 0

        def commit(self, branch: str, expected: str, message: str, files_: Any) -> str:
            if Racing.beaten < times:
                Racing.beaten += 1
                forge.shop.run("pull", "-q", "origin", "main")
                forge.shop.commit("Compete", dict(files(Racing.beaten)))
            return super().commit(branch, expected, message, files_)

    return Racing


def test_all_services_are_in_one_commit_that_github_signed_with_the_trailers(unprotected: Forge) -> None:
    source = unprotected.tip()
    written = write(unprotected, "ui", "cart")
    assert written.commit == unprotected.tip()
    assert unprotected.at("rev-parse", "main^") == source
    assert source in unprotected.values("ui")
    unprotected.mirror.update()
    records = trailers.records(unprotected.mirror.git, written.commit, "dev")
    assert [(each.service, each.commit, each.run) for each in records] == [
        ("ui", written.commit, "run-1"),
        ("cart", written.commit, "run-1"),
    ]
    assert "[skip ci]" in unprotected.at("log", "-1", "--format=%s")
    assert unprotected.mirror.git.is_commit(written.commit)


def test_nothing_to_change_makes_no_commit(unprotected: Forge) -> None:
    source = unprotected.shop.head
    first = write(unprotected, "ui").commit
    with committing(unprotected, "run-2") as writer:
        again = writer.write_back(source, [unprotected.release()])
    assert (again.commit, unprotected.tip()) == (None, first)


def test_a_head_that_moved_is_begun_upon_anew_with_both_sides_work(unprotected: Forge) -> None:
    values = unprotected.values()
    theirs = racing(
        unprotected,
        3,
        lambda number: {"src/ui/chart/values-dev.yaml": values.replace("replicas: 1", f"replicas: 1{number}") + "\n"},
    )
    written = write(unprotected, "ui", kind=theirs)
    assert written.attempts == 4
    assert "replicas: 13" in unprotected.values()
    assert "registry.example:5000/shop-ui" in unprotected.values()
    assert unprotected.at("log", "--format=%s", "-4").splitlines()[1:] == ["Compete"] * 3


def test_one_that_always_loses_the_race_may_be_tried_again(unprotected: Forge) -> None:
    theirs = racing(unprotected, 99, lambda number: {"README": f"{number}\n"})
    waits: list[float] = []
    with committing(unprotected, kind=theirs) as writer:
        patient = replace(writer.environment, push=Patience(max_attempts=4, initial_delay=2, max_delay=3))
        pace = Pace(clock=lambda: 0.0, sleep=waits.append, draw=lambda ceiling: ceiling)
        with pytest.raises(PushRejected, match=r"moved under each of 4 attempts.*target\.push"):
            replace(writer, environment=patient, pace=pace).write_back(unprotected.shop.head, [unprotected.release()])
    assert waits == [2, 3, 3]
    assert "public.example" in unprotected.values()


def test_a_lost_answer_is_found_by_the_next_attempt_of_the_run_and_nothing_done_twice(unprotected: Forge) -> None:
    unprotected.github.fail("/api/graphql$", 502, "<html>", after=True)
    with pytest.raises(Transient):
        write(unprotected, "ui")
    landed = unprotected.tip()
    with committing(unprotected) as writer:
        again = writer.write_back(unprotected.shop.head, [unprotected.release()])
    assert (again.commit, again.released, unprotected.tip()) == (landed, ("ui",), landed)


def test_a_commit_that_github_does_not_vouch_for_is_told(unprotected: Forge) -> None:
    class Unsigned(GitHub):
        def verification(self, sha: str) -> Verification:
            return Verification(False, "unsigned")

    with pytest.raises(Terminal, match="does not vouch for it: unsigned"):
        write(unprotected, "ui", kind=Unsigned)


def test_a_file_whose_mode_github_would_lose_is_refused(unprotected: Forge) -> None:
    file = unprotected.shop.path / "src/ui/chart/values-dev.yaml"
    file.chmod(0o755)
    before = unprotected.shop.commit("Run it", {"README": "x\n"})
    with pytest.raises(Terminal, match="executable"):
        write(unprotected, "ui")
    assert unprotected.tip() == before


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("mode: github-api, sign: ssh", "GitHub signs"),
        ("mode: github-api, auto_merge: squash", "there are none"),
        ("auto_merge: squash", "there are none"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(forge: Forge, target: str, words: str) -> None:
    forge.shop.configure("values: values-dev.yaml}", f"values: values-dev.yaml, {target}}}")
    with pytest.raises(ConfigurationError, match=words):
        forge.shop.environment()
