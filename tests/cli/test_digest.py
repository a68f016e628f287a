"""`argosy digest` as a process."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.process import argosy, spoken
from tests.engine.shop import Shop


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop.opened(tmp_path)


def test_the_digests_are_those_that_a_release_works_with(shop: Shop) -> None:
    wanted = {name: each.hex for name, each in shop.digests().desired(shop.head).items()}
    found = spoken(argosy("digest", "--json", cwd=shop.path))
    assert found == {"head": shop.head, "recipe": "1", "services": wanted}
    assert spoken(argosy("digest", "ui", "--json", cwd=shop.path))["services"] == {"ui": wanted["ui"]}
    assert argosy("digest", "cart", cwd=shop.path).stdout == f"{wanted['cart']}  cart\n"


def test_the_digests_of_an_earlier_commit_are_those_of_its_tree(shop: Shop) -> None:
    first = shop.head
    before = spoken(argosy("digest", "--json", cwd=shop.path))["services"]
    shop.commit("Edit", {"src/ui/main.txt": "two\n"})
    assert spoken(argosy("digest", "--json", "--head", first, cwd=shop.path))["services"] == before
    assert spoken(argosy("digest", "--json", cwd=shop.path))["services"]["ui"] != before["ui"]


def test_what_went_into_a_digest_is_listed(shop: Shop) -> None:
    shop.configure("  ui: {}", "  ui: {build: {target: run, args: {A: x}}}")
    found = spoken(argosy("digest", "--explain", "ui", "--json", cwd=shop.path))
    assert found["digest"] == shop.digests().desired(shop.head)["ui"].hex
    assert sorted(found["inputs"]) == [
        "Dockerfile", "argument A", "image busybox:1.36", "src/ui/Dockerfile", "src/ui/main.txt", "target",
    ]  # fmt: skip
    assert "argument A  x\n" in argosy("digest", "--explain", "ui", cwd=shop.path).stdout


def test_what_differs_between_two_commits_is_named(shop: Shop) -> None:
    base = shop.head
    shop.commit("Edit", {"src/ui/main.txt": "two\n", "src/ui/new\nline": "x\n"})
    found = spoken(argosy("digest", "--base", base, "--json", cwd=shop.path))
    assert found["services"] == {"ui": ["src/ui/main.txt", "src/ui/new\nline"], "cart": []}
    shown = argosy("digest", "--base", base, cwd=shop.path).stdout
    assert shown == "ui: 2 inputs differ\n  src/ui/main.txt\n  src/ui/new\\nline\ncart: the same\n"


def test_a_missing_input_ends_in_one_with_the_others_shown(shop: Shop) -> None:
    shop.commit("Drop", {"src/ui/Dockerfile": None})
    done = argosy("digest", cwd=shop.path)
    assert (done.returncode, done.stdout.endswith("  cart\n")) == (1, True)
    assert "src/ui/Dockerfile is not in commit" in done.stderr
    assert "ui" in spoken(argosy("digest", "--json", cwd=shop.path))["failures"]


@pytest.mark.parametrize("words", [["basket"], ["--explain", "basket"], ["--base", "nothing"]])
def test_what_is_not_there_is_refused(shop: Shop, words: list[str]) -> None:
    assert argosy("digest", *words, cwd=shop.path).returncode == 2
