"""From a trigger to a commit: the tip of the branch, or a full SHA that is on it, and nothing else."""

from __future__ import annotations

import pytest

from argosy import sources
from argosy.errors import ExitCode, Terminal, WrongUse
from tests.engine.target import Target


def test_the_source_is_the_tip_of_the_branch_that_the_default_branch_names(target: Target) -> None:
    assert sources.resolve(target.mirror, "dev", None).source_sha == target.shop.head


def test_a_commit_on_the_source_branch_may_be_older_than_its_tip(target: Target) -> None:
    older = target.shop.head
    target.shop.commit("Go on", {"src/ui/main.txt": "ui two\n"})
    assert sources.resolve(target.mirror, "dev", older).source_sha == older


@pytest.mark.parametrize("name", ["main", "HEAD", "1.0", "abcdef123456", "--upload-pack=x"])
def test_only_a_full_sha_names_a_source_commit(target: Target, name: str) -> None:
    with pytest.raises(WrongUse, match="not a full commit SHA") as caught:
        sources.resolve(target.mirror, "dev", name)
    assert "all 40 hex digits" in (caught.value.remedy or "")


def test_a_commit_that_was_never_pushed_is_said_to_be_none_of_the_remote(target: Target) -> None:
    target.shop.run("commit", "-q", "--allow-empty", "-m", "Keep it here")
    with pytest.raises(WrongUse, match=f"^{target.shop.head} is not a commit of {target.shop.origin}") as caught:
        sources.resolve(target.mirror, "dev", target.shop.head)
    assert (caught.value.remedy, caught.value.exit_code) == ("push it first", ExitCode.WRONG)


def test_the_id_of_a_file_or_folder_is_no_commit(target: Target) -> None:
    for name in ("HEAD^{tree}", "HEAD:src/ui/Dockerfile"):
        with pytest.raises(WrongUse, match="is not a commit of"):
            sources.resolve(target.mirror, "dev", target.shop.run("rev-parse", name))


def test_a_commit_of_another_branch_is_refused_with_both_branches_named(target: Target) -> None:
    target.shop.run("checkout", "-q", "-b", "feature")
    stray = target.shop.commit("Stray", {"src/ui/main.txt": "stray\n"}, branch="feature")
    with pytest.raises(Terminal, match=f"^{stray[:12]} is not on main, which dev is released from") as caught:
        sources.resolve(target.mirror, "dev", stray)
    assert "merge it there first" in (caught.value.remedy or "")
