"""Content at an earlier commit against the desired one: each side by its own argosy.yaml, and trees before files."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.inputs import content
from argosy.inputs.comparison import Compared, compare
from argosy.inputs.digests import Digests, environment_at
from argosy.models import State
from tests.engine.planning import of
from tests.engine.shop import Shop


def compared(shop: Shop, commit: str, service: str = "ui") -> Compared | None:
    return compare(shop.digests(), shop.head, {service: commit}).get(service)


def test_the_inputs_that_differ_are_named(shop: Shop) -> None:
    before = shop.head
    shop.commit("Edit", {"src/ui/main.txt": "two\n", "src/ui/new file": "x\n", "README.md": "x\n"})
    assert compared(shop, before) == Compared(False, ("src/ui/main.txt", "src/ui/new file"))
    assert compared(shop, before, "cart") == Compared(True)


def test_a_changed_build_argument_is_named(shop: Shop) -> None:
    before = shop.head
    shop.configure("  ui: {}", '  ui: {build: {args: {A: "1"}, target: run}}')
    assert compared(shop, before) == Compared(False, ("argument A", "target"))


def test_what_a_release_writes_and_the_chart_differ_in_nothing(shop: Shop) -> None:
    before = shop.head
    shop.release("ui", before)
    shop.commit("Chart", {"src/ui/chart/templates/a.yaml": "x\n", ".argosy/holds.yaml": "[]\n"})
    assert compared(shop, before) == Compared(True)


def test_a_file_that_is_written_no_more_is_an_input_again(shop: Shop) -> None:
    shop.configure("  ui: {}", '  ui: {build: {context: "."}}')
    before = shop.head
    shop.configure("target: {branch: main}", "target: {branch: main, values: values-prod.yaml}")
    found = compared(shop, before)
    assert found is not None
    assert "src/cart/chart/values.yaml" in found.inputs


def test_a_setting_that_builds_nothing_differs_in_nothing(shop: Shop) -> None:
    before = shop.head
    shop.configure("  ui: {}", "  ui: {build: {timeout: 5}}")
    assert compared(shop, before) == Compared(True)


def test_a_file_that_dockerignore_leaves_out_differs_in_nothing(shop: Shop) -> None:
    before = shop.commit("Ignore", {"src/ui/.dockerignore": "*.md\n"})
    shop.commit("Write", {"src/ui/notes.md": "x\n"})
    assert compared(shop, before) == Compared(True)


def test_content_at_a_commit_whose_configuration_is_broken_cannot_be_told(shop: Shop) -> None:
    good = (shop.path / "argosy.yaml").read_text()
    before = shop.commit("Break", {"argosy.yaml": "version: 2\n"})
    shop.commit("Mend", {"argosy.yaml": good})
    assert compared(shop, before) is None


def test_a_commit_without_configuration_is_read_as_one_assumes(shop: Shop) -> None:
    good = (shop.path / "argosy.yaml").read_text()
    before = shop.commit("Drop", {"argosy.yaml": None})
    shop.commit("Bring it back", {"argosy.yaml": good})
    assert compared(shop, before) is None
    assert compare(shop.digests(), shop.head, {"ui": before}, assume=shop.environment()) == {"ui": Compared(True)}


def test_a_submodule_as_a_context_is_never_taken_for_the_same(shop: Shop, tmp_path: Path) -> None:
    other = Shop(tmp_path / "other")
    shas = [other.commit("One", {"a": "1"}), other.commit("Two", {"a": "2"})]
    shop.configure("  ui: {}", "  ui: {build: {contexts: {vendor: vendor}}}")
    commits = []
    for sha in shas:
        shop.run("update-index", "--add", "--cacheinfo", f"160000,{sha},vendor")
        shop.run("commit", "-qm", "Bump")
        commits.append(shop.head)
    assert compared(shop, commits[0]) is None


def test_an_upgrade_that_changes_the_recipe_releases_nothing_where_the_commit_is_at_hand(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(content.RECIPES, "0", lambda _inputs: {})
    shop.release("ui", shop.head)
    text = shop.run("log", "-1", "--format=%B").replace(" 1\nArgosy-Run", " 0\nArgosy-Run")
    shop.run("commit", "-q", "--amend", "-m", text)
    assert " 0\n" in shop.run("log", "-1", "--format=%B")
    assert of(shop).state is State.UNVERIFIED


@pytest.mark.parametrize(("recipe", "state"), [("0", State.UNVERIFIED), ("unheard-of", State.BUILD)])
def test_a_release_whose_commit_is_gone_is_compared_by_the_recipe_that_its_trailer_names(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, recipe: str, state: State
) -> None:
    monkeypatch.setitem(content.RECIPES, "0", lambda inputs: {"files": [file.path for file in inputs.files]})
    gone, inputs = "1" * 40, shop.digests().snapshot(shop.head).inputs(shop.environment().service("ui"))
    message = (
        f"Release ui\n\nArgosy-Environment: dev\nArgosy-Source: {gone}\n"
        f"Argosy-Service: ui {gone} {inputs.digest('0').hex} sha256:{'a' * 64} {recipe}\n"
    )
    values = f'image:\n  repository: registry.example:5000/shop-ui\n  tag: "{gone}"\n'
    shop.commit(message, {"src/ui/chart/values-dev.yaml": values})
    assert of(shop).state is state
    shop.commit("Add", {"src/ui/new": "x\n"})
    assert of(shop).state is State.BUILD


EDITS = st.lists(
    st.dictionaries(
        st.sampled_from(
            ["src/ui/main.txt", "src/ui/a.md", "src/ui/chart/b.yaml", "src/ui/.dockerignore", "src/cart/main.txt",
             "libs/c", "README.md"]
        ),
        st.sampled_from(["*.md\n", "one\n", "two\n"]),
        max_size=3,
    ),
    min_size=1,
    max_size=4,
)  # fmt: skip


@settings(max_examples=15, deadline=None)
@given(EDITS, st.booleans())
def test_comparing_trees_agrees_with_comparing_digests(edits: list[dict[str, str]], root: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        shop = Shop.opened(Path(folder))
        if root:
            shop.configure("  ui: {}", '  ui: {build: {context: "."}, shared: [README.md, libs]}')
            edits = [{"README.md": "r\n", "libs/c": "c\n"}, *edits]
        commits = [shop.head, *(shop.commit("Edit", dict(edit)) for edit in edits)]
        here = Digests(shop.git, environment_at(shop.git, shop.head, "dev"))
        now = here.survey(shop.head).contents
        for commit in commits:
            then = Digests(shop.git, environment_at(shop.git, commit, "dev")).survey(commit).contents
            found = compare(here, shop.head, dict.fromkeys(now, commit))
            assert {name: each.same for name, each in found.items()} == {
                name: then[name] == now[name] for name in now if name in then
            }
