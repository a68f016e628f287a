"""Hands win: what somebody changed after a release stays, until the content is another; through merges and clones."""

from __future__ import annotations

from pathlib import Path

import pytest

from argosy.holds import hands
from argosy.models import State
from tests.engine.planning import of, planned, verify
from tests.engine.shop import CONFIGURATION, Shop, run, service_files

VALUES = "src/ui/chart/values-dev.yaml"


@pytest.fixture
def released(shop: Shop) -> Shop:
    """Released once: `first` is the tag on it."""
    shop.release("ui", shop.head)
    return shop


def tag(shop: Shop) -> str:
    current = of(shop).current
    assert current is not None
    return current.tag


def edit(shop: Shop, text: str = "ui two\n") -> str:
    return shop.commit("Edit", {"src/ui/main.txt": text})


def test_a_reference_that_a_hand_changed_is_held_and_says_who_and_when_and_how_to_lift_it(released: Shop) -> None:
    commit = released.set_by_hand("ui", "1.0-hotfix")
    item = of(released)
    assert item.state is State.HELD
    assert item.hold is not None
    assert (item.hold.who, item.hold.by_hand) == ("Dev", True)
    assert f"{item.hold.since:%Y-%m-%d}" in item.reason
    assert f"1.0-hotfix was set by hand in {commit[:12]}" in item.reason
    assert "newer content" in item.reason
    assert planned(released).nothing_to_do


def test_newer_content_is_released_over_a_hand(released: Shop) -> None:
    released.set_by_hand("ui", "1.0-hotfix")
    edit(released)
    item = of(released)
    assert (item.state, item.reason) == (
        State.BUILD,
        "registry.example:5000/shop-ui:1.0-hotfix was set by hand for other content",
    )


def test_content_that_comes_back_is_held_still(released: Shop) -> None:
    released.set_by_hand("ui", "1.0-hotfix")
    edit(released)
    edit(released, "ui one\n")
    assert of(released).state is State.HELD


def test_a_revert_of_a_release_is_a_hand(released: Shop) -> None:
    first = tag(released)
    released.release("ui", edit(released))
    released.run("revert", "--no-edit", "HEAD")
    item = of(released)
    assert (item.state, tag(released)) == (State.HELD, first)
    edit(released, "ui three\n")
    assert of(released).state is State.BUILD


def test_another_repository_typed_in_is_a_hand(released: Shop) -> None:
    released.set_by_hand("ui", tag(released), "elsewhere.example/{}")
    assert of(released).state is State.HELD


def test_a_hand_that_wrote_what_is_wanted_is_no_hold_and_is_verified(released: Shop) -> None:
    again = released.commit("Go on", {"README.md": "x\n"})
    released.set_by_hand("ui", again)
    assert of(released).state is State.UNVERIFIED
    verify(released, "ui", again)
    assert of(released).state is State.UNCHANGED


def test_a_hand_that_took_its_change_back_leaves_what_the_release_left(released: Shop) -> None:
    sha = tag(released)
    released.set_by_hand("ui", "1.0-hotfix")
    released.set_by_hand("ui", sha)
    assert of(released).state is State.UNVERIFIED


def test_a_hand_that_put_the_old_release_back_while_newer_content_waited_is_held(released: Shop) -> None:
    sha = tag(released)
    edit(released)
    released.set_by_hand("ui", "1.0-hotfix")
    released.set_by_hand("ui", sha)
    assert of(released).state is State.HELD


def test_a_change_of_other_values_is_no_hand(released: Shop) -> None:
    text = (released.path / VALUES).read_text()
    released.commit("Scale", {VALUES: text.replace("replicas: 1", "replicas: 3")})
    edit(released)
    assert of(released).state is State.BUILD


def test_a_bulk_edit_of_values_asks_git_nothing_more_about_each_service(
    released: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (released.path / VALUES).read_text()
    released.commit("Scale", {VALUES: text.replace("replicas: 1", "replicas: 3")})
    monkeypatch.setattr(hands, "_last_change", None)  # it walks one service's history
    assert of(released).state is State.UNVERIFIED


def test_what_was_typed_before_the_first_release_of_a_service_is_no_hold(shop: Shop) -> None:
    shop.set_by_hand("ui", "0.9")
    shop.release("ui", shop.head)
    edit(shop)
    assert of(shop).state is State.BUILD


def test_a_release_after_a_hand_decides_again(released: Shop) -> None:
    released.set_by_hand("ui", "1.0-hotfix")
    released.release("ui", edit(released))
    assert of(released).state is State.UNVERIFIED
    edit(released, "ui three\n")
    assert of(released).state is State.BUILD


def test_a_merge_that_takes_the_release_of_one_side_is_no_hand(released: Shop) -> None:
    released.run("checkout", "-qb", "feature")
    released.commit("Note", {"NOTES.md": "x\n"}, branch="feature")
    released.run("checkout", "-q", "main")
    released.release("ui", edit(released))
    released.run("merge", "-q", "--no-ff", "-m", "Merge", "feature")
    assert of(released).state is State.UNVERIFIED
    edit(released, "ui three\n")
    assert of(released).state is State.BUILD


def test_a_hand_on_a_branch_counts_once_it_is_merged(released: Shop) -> None:
    released.run("checkout", "-qb", "hotfix")
    hand = released.set_by_hand("ui", "1.0-hotfix")
    released.run("checkout", "-q", "main")
    released.commit("Go on", {"README.md": "x\n"})
    assert of(released).state is State.UNVERIFIED
    released.run("merge", "-q", "--no-ff", "-m", "Merge", "hotfix")
    item = of(released)
    assert item.state is State.HELD
    assert hand[:12] in item.reason


def test_a_hand_on_a_branch_that_lost_to_a_release_does_not_count(released: Shop) -> None:
    released.run("checkout", "-qb", "hotfix")
    released.set_by_hand("ui", "1.0-hotfix")
    released.run("checkout", "-q", "main")
    released.release("ui", edit(released))
    released.run("merge", "-q", "-s", "ours", "-m", "Merge", "hotfix")
    assert of(released).state is State.UNVERIFIED


def test_a_merge_whose_reference_no_parent_has_is_a_hand(released: Shop) -> None:
    released.run("checkout", "-qb", "hotfix")
    released.set_by_hand("ui", "1.0-hotfix")
    released.run("checkout", "-q", "main")
    released.release("ui", edit(released))
    released.run("merge", "-q", "-s", "ours", "--no-commit", "hotfix")
    merge = released.set_by_hand("ui", "1.0-merged")
    assert len(released.run("rev-list", "--parents", "-1", "HEAD").split()) == 3
    item = of(released)
    assert item.state is State.HELD
    assert merge[:12] in item.reason


def test_a_squashed_hand_is_a_hand(released: Shop) -> None:
    released.run("checkout", "-qb", "hotfix")
    released.set_by_hand("ui", "1.0-hotfix")
    released.run("checkout", "-q", "main")
    released.run("merge", "-q", "--squash", "hotfix")
    released.run("commit", "-qm", "Hotfix (#1)")
    assert of(released).state is State.HELD


def test_the_branch_of_the_other_environment_merged_in_is_no_hand_of_this_one(shop: Shop) -> None:
    shop.release("ui", shop.head)
    shop.run("checkout", "-qb", "develop")
    shop.release("ui", edit(shop), "prod")
    shop.run("checkout", "-q", "main")
    shop.run("merge", "-q", "--no-ff", "-m", "Merge develop", "develop")
    assert of(shop).state is State.BUILD


def cloned(shop: Shop, folder: Path, depth: int) -> Shop:
    shop.run("push", "-q", "origin", "HEAD:main")
    path = folder / "shallow"
    run("clone", "-q", "--depth", str(depth), f"file://{shop.origin}", str(path))
    copy = Shop.__new__(Shop)
    copy.path, copy.origin, copy.git = path, shop.origin, type(shop.git)(path)
    return copy


def test_what_a_shallow_clone_hides_is_unknown_and_no_hand(released: Shop, tmp_path: Path) -> None:
    second = edit(released)
    released.release("ui", second)
    released.run("revert", "--no-edit", "HEAD")
    for number in range(3):
        released.commit("Go on", {"README.md": f"{number}\n"})
    shallow = cloned(released, tmp_path, depth=2)
    item = of(shallow)
    assert item.state is State.UNKNOWN
    shallow.run("fetch", "-q", "--unshallow")
    assert of(shallow).state is State.HELD


def test_the_edge_of_a_shallow_clone_is_no_hand(released: Shop, tmp_path: Path) -> None:
    """The release is at hand, and what lies before its edge is not: nobody changed the reference."""
    released.release("ui", edit(released))
    shallow = cloned(released, tmp_path, depth=2)
    assert of(shallow).state is State.UNVERIFIED


def test_a_hand_on_a_branch_of_charts_is_measured_by_the_last_release_before_it(shop: Shop) -> None:
    split = CONFIGURATION.replace(
        "target: {branch: main, values: values-dev.yaml}", "target: {branch: gitops, values: values-dev.yaml}"
    )
    source = shop.commit("Split", {"argosy.yaml": split})
    shop.run("checkout", "-q", "--orphan", "gitops")
    shop.run("rm", "-rqf", ".")
    charts = {name: text for s in ("ui", "cart") for name, text in service_files(s).items() if "/chart/" in name}
    shop.commit("Charts", charts, branch="gitops")
    content = shop.digests(source).desired(source)["ui"]
    message = (
        f"Release\n\nArgosy-Environment: dev\nArgosy-Source: {source}\n"
        f"Argosy-Service: ui {source} {content.hex} sha256:{'a' * 64} 1\n"
    )
    values = f'image:\n  repository: registry.example:5000/shop-ui\n  tag: "{source}"\n'
    shop.commit(message, {VALUES: values}, branch="gitops")
    target = shop.set_by_hand("ui", "1.0-hotfix")
    assert of(shop, source=source, target=target).state is State.HELD
    shop.run("checkout", "-q", "main")
    newer = edit(shop)
    assert of(shop, source=newer, target=target).state is State.BUILD


def test_a_hand_behind_the_edge_of_a_shallow_clone_is_not_guessed_at(released: Shop, tmp_path: Path) -> None:
    """The release is at hand, and so is the merge that brought another reference: who wrote that is not."""
    released.run("checkout", "-qb", "hotfix")
    hand = released.set_by_hand("ui", "1.0-hotfix")
    for number in range(4):
        released.commit("Go on", {"NOTES.md": f"{number}\n"})
    released.run("checkout", "-q", "main")
    for number in range(3):
        released.commit("Go on", {"README.md": f"{number}\n"})
    released.release("ui", edit(released))
    released.run("merge", "-q", "--no-ff", "-X", "theirs", "-m", "Merge", "hotfix")
    assert tag(released) == "1.0-hotfix"
    shallow = cloned(released, tmp_path, depth=3)
    item = of(shallow)
    assert (item.state, "this clone is shallow" in item.reason) == (State.UNKNOWN, True)
    shallow.run("fetch", "-q", "--unshallow")
    assert (of(shallow).state, hand in shallow.run("rev-list", "HEAD")) == (State.BUILD, True)
