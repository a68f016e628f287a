"""The commands that read a clone, of a shop whose charts lie in another one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cli.process import argosy, spoken
from tests.engine.apart import Apart, values
from tests.engine.shop import Shop, run


@pytest.fixture
def apart(tmp_path: Path) -> Apart:
    """The shop, released, with ui edited since; the charts' clone is up to date."""
    apart = Apart(tmp_path, Shop.opened(tmp_path))
    apart.adopted()
    apart.shop.commit("Edit", {"src/ui/main.txt": "ui two\n"})
    apart.charts.run("pull", "-q", "origin", "main")
    return apart


def said(apart: Apart, command: str, *words: str) -> Any:
    done = argosy(command, "--environment", "dev", "--json", *words, cwd=apart.shop.path)
    assert (done.returncode, done.stderr) == (0, "")
    return spoken(done)


@pytest.mark.parametrize("word", ["{}", "charts={}"])
def test_a_plan_reads_the_charts_from_the_clone_that_is_named(apart: Apart, word: str) -> None:
    found = said(apart, "plan", "--target-repo", word.format(apart.charts.path))
    assert {name: item["state"] for name, item in found["services"].items()} == {"ui": "build", "cart": "unverified"}
    assert (found["source"], found["target"]) == (apart.shop.head, apart.charts.head)
    assert found["services"]["ui"]["writes"][0]["file"] == values("ui")


def test_a_status_does_too_and_says_which_of_the_charts_hands_hold(apart: Apart) -> None:
    text = (apart.charts.path / values("cart")).read_text()
    released = apart.shop.run("rev-parse", "HEAD~1")
    apart.charts.commit("Fix it now", {values("cart"): text.replace(released, "1.0-hotfix")})
    services = said(apart, "status", "--target-repo", str(apart.charts.path))["services"]
    assert services["ui"]["source"] == released
    assert (services["cart"]["hold"]["who"], services["cart"]["reference"].rpartition(":")[2]) == ("Dev", "1.0-hotfix")


@pytest.mark.parametrize(("command", "words"), [("plan", ("--target-repo", "others=.")), ("status", ())])
def test_without_that_clone_the_option_is_named(apart: Apart, command: str, words: tuple[str, ...]) -> None:
    done = argosy(command, "--environment", "dev", *words, cwd=apart.shop.path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "the charts of dev lie in a repository of their own, that of the block charts" in done.stderr
    assert "--target-repo" in done.stderr


def test_a_clone_without_the_branch_or_none_at_all_is_told_from_that(apart: Apart, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    run("init", "-q", str(empty))
    for folder, words in ((empty, f"{empty} has no branch main"), (tmp_path / "nowhere", "is no folder")):
        done = argosy("plan", "--environment", "dev", "--target-repo", str(folder), cwd=apart.shop.path)
        assert (done.returncode, words in done.stderr) == (2, True), done.stderr


def test_what_reads_no_charts_wants_no_clone_of_them(apart: Apart) -> None:
    assert set(said(apart, "digest")["services"]) == {"ui", "cart"}


def test_a_shallow_clone_of_what_is_released_is_refused_where_nothing_deepens_it(apart: Apart, tmp_path: Path) -> None:
    """The history that it hides would be taken for lost, and nobody's release would be explained."""
    shallow = tmp_path / "shallow"
    run("clone", "-q", "--depth=1", apart.shop.origin.as_uri(), str(shallow))
    words = ("plan", "--environment", "dev", "--target-repo", str(apart.charts.path))
    assert argosy(*words, cwd=shallow).returncode == 0
    hidden = tmp_path / "hidden"
    run("clone", "-q", "--depth=1", apart.shop.origin.as_uri(), str(hidden))
    run("-C", str(hidden), "remote", "remove", "origin")
    done = argosy(*words, "--head", "HEAD", cwd=hidden)
    assert (done.returncode, "git fetch --unshallow" in done.stderr) == (2, True), done.stderr
