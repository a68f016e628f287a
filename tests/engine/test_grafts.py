"""A change brought from one head to another as trees: as if its files had been written there, or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from argosy.gitops.commits import Draft, Identity, commit
from argosy.gitops.grafts import Graft
from argosy.gitops.signing import Signing
from tests.engine.shop import Shop
from tests.engine.target import NOW

UI, CART = "src/ui/chart/values-dev.yaml", "src/cart/values.yaml"
OPENED = {UI: "1\n", CART: "1\n", "src/ui.sh": "x\n", "src/ui0": "x\n", "zz/deep/er/file": "x\n", "a b/ä": "x\n"}


def drafted(shop: Shop, parent: str, files: Mapping[str, str]) -> str:
    """The tree of a commit that has those files upon `parent`, written as they are the first time."""
    who = Identity("Ann", "ann@example.com")
    with Signing(None) as signing:
        draft = Draft(parent, {path: text.encode() for path, text in files.items()}, "Ours\n", who, NOW)
        return shop.git.text("rev-parse", f"{commit(shop.git, draft, signing)}^{{tree}}")


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({UI: "2\n"}, {"NOTES": "theirs\n"}),
        ({UI: "2\n", CART: "2\n"}, {"src/ui/main.py": "theirs\n", "src/ui/chart/other.yaml": "theirs\n"}),
        ({UI: "2\n", "new/in/a": "2\n"}, {"src/ui-new/a": "x\n", "src/ui.d/b": "x\n", "src/a": "x\n"}),
        ({CART: "2\n", "a b/é": "2\n", "zz/e": "2\n"}, {"zz/deep/er/file": "x\n", "a b/ö": "x\n", "n/b": "x\n"}),
    ],
)
def test_it_is_the_tree_that_writing_the_files_there_makes(
    shop: Shop, ours: dict[str, str], theirs: dict[str, str]
) -> None:
    shop.commit("Open", OPENED)
    (shop.path / "link").symlink_to("src")
    (shop.path / "src/ui.sh").chmod(0o755)
    before = shop.commit("Link", {"more": "x\n"})
    after = shop.commit("Theirs", theirs)
    assert Graft(before, drafted(shop, before, ours), after).tree(shop.git) == drafted(shop, after, ours)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [({UI: "2\n"}, {UI: "3\n"}), ({"new": "2\n"}, {"new/file": "3\n"}), ({"new": "2\n"}, {"new": "3\n"})],
)
def test_where_somebody_changed_the_same_there_is_none(
    shop: Shop, ours: dict[str, str], theirs: dict[str, str]
) -> None:
    before = shop.commit("Open", OPENED)
    after = shop.commit("Theirs", theirs)
    assert Graft(before, drafted(shop, before, ours), after).tree(shop.git) is None


def test_a_file_that_somebody_removed_is_no_place_for_a_change(shop: Shop) -> None:
    before = shop.commit("Open", OPENED)
    shop.run("rm", "-q", UI)
    after = shop.commit("Theirs", {"NOTES": "theirs\n"})
    assert Graft(before, drafted(shop, before, {UI: "2\n"}), after).tree(shop.git) is None


def test_a_draft_is_brought_to_the_next_head_though_its_files_cannot_be_read_any_more(shop: Shop) -> None:
    before = shop.commit("Open", OPENED)
    first = Draft(before, {UI: b"2\n"}, "Ours\n", Identity("Ann", "ann@example.com"), NOW)
    with Signing(None) as signing:
        commit(shop.git, first, signing)
        after = shop.commit("Theirs", {"NOTES": "theirs\n"})
        made = commit(shop.git, replace(first, parent=after, files={UI: b"unread"}), signing)
    assert shop.git.file(made, UI) == b"2\n"
    assert shop.git.file(made, "NOTES") == b"theirs\n"
