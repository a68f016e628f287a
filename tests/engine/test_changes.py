from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.changes.differences import NOTHING, along, between, of_any, steps
from argosy.changes.filters import STATUSES, Filter, Rule, read, takes
from argosy.changes.touched import Change, Filters
from argosy.errors import Terminal
from argosy.git import Git
from argosy.globs import QUANTIFIERS, Quantifier, glob
from tests.engine.shop import Shop

PATTERNS = (
    "src/ui/**", "src/**", "**", "**/*.md", "src/*/a", "src/ui", "!src/ui/**", "!**/*.md", "README.md", "src/u*/**",
    "{src,docs}/**", "docs/**", "src/ui/a", "!README.md", "a|b", "src/!(ui)/**",
)  # fmt: skip
PATHS = ("src/ui", "src/ui/a", "src/ui/b.md", "src/cart/a", "src/uix/a", "README.md", "docs/b.md", "a", "src/ui/x/y.md")
RULES = st.builds(
    lambda patterns, statuses: Rule(tuple(glob(each) for each in patterns), statuses),
    st.lists(st.sampled_from(PATTERNS), max_size=2),
    st.none() | st.frozensets(st.sampled_from(STATUSES), min_size=1),
)
FILTERS = st.dictionaries(st.sampled_from(["ui", "cart", "all"]), st.lists(RULES, max_size=3).map(tuple))
CHANGES = st.lists(st.builds(Change, st.sampled_from(STATUSES), st.sampled_from(PATHS)))


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop.opened(tmp_path)


@given(FILTERS, CHANGES, st.sampled_from(QUANTIFIERS))
def test_looking_up_folders_finds_what_asking_every_filter_does(
    filters: Mapping[str, Filter], changes: list[Change], quantifier: Quantifier
) -> None:
    wanted = {
        name: [each for each in dict.fromkeys(changes) if takes(rules, *each, quantifier)]
        for name, rules in filters.items()
    }
    found = Filters(filters, quantifier)
    assert found.files(changes) == wanted
    assert found.changed(changes) == {name: bool(files) for name, files in wanted.items()}


def test_services_keep_the_order_of_the_configuration() -> None:
    found = Filters(read(b"b: b\na: a\nc: c\n", "f"))
    assert [*found.changed([Change("added", "a")]).items()] == [("b", False), ("a", True), ("c", False)]


def test_a_rename_counts_for_the_old_and_the_new_place(shop: Shop) -> None:
    base = shop.head
    (shop.path / "src/ui/main.txt").rename(shop.path / "src/cart/moved.txt")
    head = shop.commit("Move it", {})
    assert between(shop.git, base, head) == [
        Change("added", "src/cart/moved.txt"),
        Change("deleted", "src/ui/main.txt"),
    ]


def test_modes_types_and_deletions_count(shop: Shop) -> None:
    base = shop.head
    (shop.path / "src/ui/main.txt").chmod(0o755)
    (shop.path / "src/cart/main.txt").unlink()
    (shop.path / "src/cart/main.txt").symlink_to("Dockerfile")
    head = shop.commit("Change what they are", {"src/ui/Dockerfile": None})
    assert between(shop.git, base, head) == [
        Change("modified", "src/cart/main.txt"),
        Change("deleted", "src/ui/Dockerfile"),
        Change("modified", "src/ui/main.txt"),
    ]


def test_a_submodule_that_moves_counts_even_where_it_is_configured_to_be_ignored(shop: Shop) -> None:
    heads = []
    for sha in (shop.head, "1" * 40):
        shop.run("update-index", "--add", "--cacheinfo", f"160000,{sha},src/ui/theme")
        shop.run("commit", "-q", "-m", "Bump the theme")
        heads.append(shop.head)
    modules = '[submodule "theme"]\n\tpath = src/ui/theme\n\turl = ../theme\n\tignore = all\n'
    (shop.path / ".gitmodules").write_text(modules)
    assert between(shop.git, *heads) == [Change("modified", "src/ui/theme")]


@pytest.mark.parametrize(
    "name",
    [b"a b", b'a"b', b"a'b", b"a\tb", b"a\nb", "ü".encode(), b"\xff\xfe", b"a\\b", b"--help", b"$(x)", b":(top)", b"*"],
)
def test_files_may_be_called_anything(shop: Shop, name: bytes) -> None:
    base = shop.head
    folder = os.fsencode(shop.path / "src/ui")
    Path(os.fsdecode(folder + b"/" + name)).write_text("x")
    head = shop.commit("Name it", {})
    changes = between(shop.git, base, head)
    assert [os.fsencode(each.path) for each in changes] == [b"src/ui/" + name]
    assert Filters(read(b"ui: src/ui/**\ncart: src/cart/**", "f")).changed(changes) == {"ui": True, "cart": False}


def test_against_the_empty_tree_everything_is_added(shop: Shop) -> None:
    assert {each.path for each in between(shop.git, NOTHING, shop.head)} == {*shop.run("ls-files").splitlines()}


def test_what_differs_from_any_of_several_commits_counts_once(shop: Shop) -> None:
    first = shop.head
    second = shop.commit("A", {"src/ui/a": "a"})
    head = shop.commit("B", {"src/cart/b": "b"})
    found = of_any(shop.git, (first, second), head)
    assert sorted(each.path for each in found) == ["src/cart/b", "src/ui/a"]


def test_each_first_parent_commit_tells_what_it_changed(shop: Shop) -> None:
    root = shop.head
    one = shop.commit("One", {"src/ui/a": "a"})
    shop.run("checkout", "-q", "-b", "side")
    shop.commit("Aside", {"src/cart/b": "b"}, branch="side")
    shop.commit("Aside again", {"src/cart/c": "c"}, branch="side")
    shop.run("checkout", "-q", "main")
    shop.run("merge", "-q", "--no-ff", "side", "-m", "Merge")
    merge = shop.head
    empty = shop.commit("Nothing", {})
    last = shop.commit("Last", {"src/ui/a": None})
    walked = list(along(shop.git, steps(shop.git, root, last)))
    assert [(step.base, step.head) for step, _ in walked] == [(root, one), (one, merge), (merge, empty), (empty, last)]
    assert [[each.path for each in changes] for _, changes in walked] == [
        ["src/ui/a"], ["src/cart/b", "src/cart/c"], [], ["src/ui/a"],
    ]  # fmt: skip
    first = next(along(shop.git, steps(shop.git, None, last)))
    assert first[0].base is None
    assert len(first[1]) == 9


def test_a_history_longer_than_a_pipe_is_told_to_its_end(shop: Shop) -> None:
    stream = "".join(
        f"commit refs/heads/long\ncommitter x <x@y> {number} +0000\ndata 1\nx\n"
        f"M 100644 inline src/ui/{'long' * 40}\ndata {len(str(number))}\n{number}\n\n"
        for number in range(1500)
    )
    shop.git.run("fast-import", "--quiet", data=stream.encode())
    walked = list(along(shop.git, steps(shop.git, None, "refs/heads/long")))
    assert len(walked) == 1500
    assert {tuple(each.path for each in changes) for _, changes in walked} == {(f"src/ui/{'long' * 40}",)}


def test_a_tree_that_is_damaged_is_no_difference_without_files(shop: Shop) -> None:
    base = shop.head
    head = shop.commit("Break it", {"src/ui/a": "a"})
    tree = shop.run("rev-parse", "HEAD:src")
    file = shop.path / ".git/objects" / tree[:2] / tree[2:]
    file.unlink()
    git = Git(shop.path)
    with pytest.raises(Terminal):
        between(git, base, head)
    with pytest.raises(Terminal):
        list(along(git, steps(git, base, head)))
