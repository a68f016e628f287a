"""Writing back to a real remote: one commit, by compare and swap, whoever else pushes meanwhile."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from argosy import notes, trailers
from argosy.errors import Terminal, Transient
from argosy.gitops.patience import Patience
from tests.engine.shop import run
from tests.engine.target import HASTE, Target


def test_every_service_is_written_in_one_commit_whose_diff_is_its_references(target: Target) -> None:
    source = target.shop.head
    written = target.writer.write_back(source, [target.release("ui"), target.release("cart")])
    assert written.released == ("ui", "cart")
    assert target.log() == ["Release ui, cart to dev [skip ci]", "Open the shop"]
    diff = run("-C", str(target.shop.origin), "diff", "--unified=0", "main~1", "main")
    changed = [line for line in diff.splitlines() if line[:1] in "+-" and line[:3] not in {"+++", "---"}]
    assert len(changed) == 8
    assert {line[1:].split(":")[0].strip() for line in changed} == {"repository", "tag"}


def test_the_trailers_explain_the_release_to_the_next_run(target: Target) -> None:
    source = target.shop.head
    release = target.release()
    commit = target.writer.write_back(source, [release]).commit
    assert commit is not None
    (record,) = trailers.records(target.mirror.git, commit, "dev")
    assert (record.service, record.source_sha, record.content) == ("ui", source, release.content)
    assert (record.manifest_digest, record.commit) == (release.manifest_digest, commit)
    assert trailers.records(target.mirror.git, commit, "prod") == ()


def test_nothing_to_change_makes_no_commit(target: Target) -> None:
    source = target.shop.head
    target.writer.write_back(source, [target.release()])
    again = replace(target.writer, run="run-2").write_back(source, [target.release()])
    assert (again.commit, again.changes, again.released) == (None, (), ("ui",))
    assert len(target.log()) == 2


@pytest.mark.parametrize("adopt", [False, True])
def test_a_push_whose_answer_was_lost_is_found_again_by_its_own_run(target: Target, adopt: bool) -> None:
    source, releases = target.shop.head, [target.release("ui"), target.release("cart")]
    written = target.writer.write_back(source, releases, adopt=adopt)
    again = target.writer.write_back(source, releases, adopt=adopt)
    assert (again.commit, again.released) == (written.commit, written.released)
    assert len(target.log()) == 2


def test_adoption_records_what_is_right_already_in_an_empty_commit(target: Target) -> None:
    source = target.shop.head
    target.writer.write_back(source, [target.release()])
    adopted = replace(target.writer, run="run-2").write_back(source, [target.release()], adopt=True)
    assert adopted.commit is not None
    assert target.log()[0] == "Adopt dev [skip ci]"
    assert [r.service for r in trailers.records(target.mirror.git, adopted.commit, "dev")] == ["ui", "ui"]


def test_a_commit_that_lands_before_our_push_survives_and_so_does_ours(
    target: Target, competitor: Callable[[dict[str, str]], str]
) -> None:
    source, release = target.shop.head, target.release()
    push = target.mirror.push
    first = [True]

    def compete_then_push(commit: str, ref: str, expected: str | None) -> None:
        if first.pop() if first else False:
            competitor({"src/cart/main.txt": "cart two\n"})
        push(commit, ref, expected)

    target.mirror.push = compete_then_push  # type: ignore[method-assign] # the race, made certain
    written = target.writer.write_back(source, [release])
    assert written.attempts == 2
    assert target.log() == ["Release ui to dev [skip ci]", "Compete", "Open the shop"]
    assert target.read("src/cart/main.txt") == "cart two"
    assert source in target.read("src/ui/chart/values-dev.yaml")


def test_a_target_that_moves_every_time_is_given_up_as_transient(
    target: Target, competitor: Callable[[dict[str, str]], str]
) -> None:
    source, release, push_ = target.shop.head, target.release(), target.mirror.push

    def compete_then_push(commit: str, ref: str, expected: str | None) -> None:
        competitor({"counter": f"{len(target.log())}\n"})
        push_(commit, ref, expected)

    target.mirror.push = compete_then_push  # type: ignore[method-assign] # the race, made certain
    push = Patience(max_attempts=3)
    writer = replace(target.writer, environment=replace(target.writer.environment, push=push), pace=HASTE)
    with pytest.raises(Transient, match="moved under each of 3 attempts"):
        writer.write_back(source, [release])


def test_a_newer_release_on_the_remote_wins(target: Target) -> None:
    older, release = target.shop.head, target.release()
    newer = target.shop.commit("Edit", {"src/ui/main.txt": "ui two\n"})
    target.shop.release("ui", newer)
    written = target.writer.write_back(older, [release])
    assert (written.commit, list(written.superseded)) == (None, ["ui"])
    assert newer in target.read("src/ui/chart/values-dev.yaml")


def test_what_a_hand_typed_meanwhile_is_not_overwritten_and_the_others_go_on(target: Target) -> None:
    source, releases = target.shop.head, [target.release("ui"), target.release("cart")]
    typed = "image:\n  repository: public.example/shop-ui\n  tag: hotfix\n"
    target.shop.commit("Type", {"src/ui/chart/values-dev.yaml": typed})
    written = target.writer.write_back(source, releases)
    assert (list(written.left_out), written.released) == (["ui"], ("cart",))
    assert target.read("src/ui/chart/values-dev.yaml") == typed.strip()


def test_a_key_that_is_gone_leaves_out_that_service_alone(target: Target) -> None:
    source, releases = target.shop.head, [target.release("ui"), target.release("cart")]
    target.shop.commit("Restructure", {"src/ui/chart/values-dev.yaml": "images: {}\n"})
    written = target.writer.write_back(source, releases)
    assert written.released == ("cart",)
    assert "has no image.repository" in written.left_out["ui"]


def test_a_commit_that_left_the_source_branch_is_refused(target: Target) -> None:
    target.shop.run("checkout", "-q", "-b", "feature")
    stray = target.shop.commit("Stray", {"src/ui/main.txt": "stray\n"}, branch="feature")
    release = target.release(sha=stray)
    with pytest.raises(Terminal, match="is not on main"):
        target.writer.write_back(stray, [release])


def test_an_executable_values_file_keeps_its_mode(target: Target) -> None:
    target.shop.run("update-index", "--chmod=+x", "src/ui/chart/values-dev.yaml")
    target.shop.run("commit", "-qm", "Make it odd")
    target.shop.run("push", "-q", "origin", "main")
    target.writer.write_back(target.shop.head, [target.release()])
    assert run("-C", str(target.shop.origin), "ls-tree", "main", "src/ui/chart/values-dev.yaml").startswith("100755")


def test_notes_of_two_runs_are_united(target: Target, tmp_path: Path) -> None:
    head, other = target.shop.head, Target(target.shop, tmp_path / "elsewhere")
    target.writer.record({head: ['{"a": 1}']})
    other.writer.record({head: ['{"b": 2}']})
    united = other.mirror.git.ref(notes.ref("dev"))
    assert target.writer.record({head: ['{"a": 1}']}) == target.mirror.git.ref(notes.ref("dev")) == united
    target.mirror.update()
    assert notes.of(target.mirror.git, target.mirror.git.ref(notes.ref("dev")), head) == b'{"a": 1}\n{"b": 2}\n'


def test_git_itself_reads_the_notes(target: Target) -> None:
    head = target.shop.head
    target.writer.record({head: ['{"a": 1}']})
    assert run("-C", str(target.shop.origin), "notes", "--ref", notes.ref("dev"), "show", head) == '{"a": 1}'


def test_a_mirror_that_was_deleted_is_made_anew(target: Target, tmp_path: Path) -> None:
    subprocess.run(["rm", "-rf", str(target.mirror.path)], check=True)
    assert target.writer.write_back(target.shop.head, [target.release()]).commit is not None
