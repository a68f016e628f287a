"""A blobless mirror whose server gives more or less than it should, and one that has lost something."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest

from argosy.gitops import packs
from argosy.gitops.mirror import Discarded, Mirror
from tests.engine.blobless import (
    DOCKERFILE,
    TEXT,
    Distant,
    at_hand,
    blobless,
    filtering,
)
from tests.engine.shop import Shop, run


@pytest.fixture
def mirror(shop: Shop, tmp_path: Path) -> Mirror:
    return blobless(shop, tmp_path / "home")


def test_a_server_that_leaves_nothing_out_gives_a_whole_mirror(shop: Shop, mirror: Mirror, tmp_path: Path) -> None:
    filtering(shop.origin, allowFilter="false")
    whole = Mirror(tmp_path / "whole", mirror.remote)
    whole.update()
    assert at_hand(whole, shop, TEXT)
    filtering(shop.origin)
    shop.commit("Two", {TEXT: "ui two\n"})
    whole.update()
    assert at_hand(whole, shop, TEXT)
    shop.commit("Three", {TEXT: "ui three\n"})
    whole.follow("refs/heads/main")
    assert at_hand(whole, shop, TEXT)
    assert not list(whole.path.glob("objects/pack/*.promisor"))[1:], "it asks for less no more"


@pytest.mark.parametrize("how", ["update", "follow"])
def test_a_server_that_leaves_nothing_out_any_more_is_followed(shop: Shop, mirror: Mirror, how: str) -> None:
    """It takes for granted that we have what files held before, and sends what differs from that."""
    lines = [f"{uuid.uuid4()}\n" for _ in range(200)]
    shop.commit("Grow", {TEXT: "".join(lines)})
    mirror.update()
    filtering(shop.origin, allowFilter="false")
    tip = shop.commit("Edit", {TEXT: "".join([*lines, "one more\n"])})
    mirror.update() if how == "update" else mirror.follow("refs/heads/main")
    assert mirror.branch("main") == tip
    assert mirror.git.file(tip, TEXT) == shop.git.file(tip, TEXT)
    assert mirror.git.file(f"{tip}~1", TEXT) == "".join(lines).encode()


def test_a_server_that_gives_no_single_file_gives_a_whole_mirror(distant: Distant) -> None:
    """It speaks git's first protocol, in which a server gives by id only what it says that it would."""
    run("-C", str(distant.path), "config", "uploadpack.allowAnySHA1InWant", "false")
    distant.proxy.withheld = frozenset({"git-protocol"})
    mirror = distant.mirror
    mirror.update()
    with pytest.raises(Discarded, match="unadvertised object"):
        mirror.git.file("main", TEXT)
    mirror.update()
    assert at_hand(mirror, distant.shop, TEXT)
    distant.shop.commit("Two", {TEXT: "ui two\n"})
    mirror.update()
    assert at_hand(mirror, distant.shop, TEXT)


def test_a_file_that_the_server_has_lost_is_asked_for_once(shop: Shop, mirror: Mirror) -> None:
    """A commit that was pushed away and pruned there is one that the next mirror does not know."""
    first, gone = shop.head, shop.commit("Regret", {TEXT: "ui two\n"})
    mirror.update()
    shop.run("push", "-qf", "origin", f"{first}:refs/heads/main")
    run("-C", str(shop.origin), "-c", "gc.reflogExpire=now", "gc", "-q", "--prune=now")
    mirror.update()
    assert mirror.git.is_commit(gone)
    with pytest.raises(Discarded, match="not our ref"):
        mirror.git.file(gone, TEXT)
    mirror.update()
    assert not mirror.git.is_commit(gone)
    assert mirror.git.file("main", TEXT) == shop.git.file(first, TEXT)


def test_an_update_heals_by_itself_what_it_meets(shop: Shop, mirror: Mirror) -> None:
    for file in mirror.path.glob("objects/pack/pack-*"):
        file.unlink()
    tip = shop.commit("Two", {TEXT: "ui two\n"})
    mirror.update()
    assert mirror.git.file(tip, TEXT) == b"ui two\n"


def test_a_whole_mirror_from_before_goes_on_without_a_new_clone(shop: Shop, mirror: Mirror, tmp_path: Path) -> None:
    old = Mirror(tmp_path / "old", mirror.remote)
    run("clone", "-q", "--bare", mirror.remote.url, str(old.path))
    first, second = shop.head, shop.commit("Two", {TEXT: "ui two\n"})
    old.update()
    assert (at_hand(old, shop, TEXT, first), at_hand(old, shop, TEXT)) == (True, False)
    assert [old.git.file(each, TEXT) for each in (first, second)] == [b"ui one\n", b"ui two\n"]


def test_a_lost_file_is_brought_again_and_a_lost_tree_ends_the_mirror(shop: Shop, mirror: Mirror) -> None:
    assert mirror.git.file("main", TEXT)
    for pack in sorted(mirror.path.glob("objects/pack/*.pack"), key=lambda file: file.stat().st_mtime)[1:]:
        for file in pack.parent.glob(f"{pack.stem}.*"):
            file.unlink()
    assert mirror.git.file("main", TEXT) == shop.git.file("main", TEXT)
    for file in mirror.path.glob("objects/pack/pack-*"):
        file.unlink()
    with pytest.raises(Discarded):
        mirror.git.tree("main")
    mirror.update()
    assert mirror.git.file("main", TEXT) == shop.git.file("main", TEXT)


def test_a_mirror_that_ends_while_files_are_brought_is_no_error_of_ours(shop: Shop, mirror: Mirror) -> None:
    mirror.path.rename(mirror.path.with_suffix(".gone"))
    with pytest.raises(Discarded):
        mirror.bring([shop.run("rev-parse", f"HEAD:{TEXT}")])
    mirror.update()
    assert mirror.git.file(shop.head, TEXT) == shop.git.file("main", TEXT)


def test_fetches_without_end_leave_a_bounded_number_of_packs(
    shop: Shop, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packs, "MOST", 3)
    mine = mirror.git.text("hash-object", "-w", "--stdin", data=b"nobody's yet")
    own = mirror.git.text("pack-objects", "-q", f"{mirror.path}/objects/pack/pack", data=f"{mine}\n".encode())
    first, texts = shop.head, [shop.git.file("main", TEXT)]
    reading = mirror.git.objects(iter([f"{first}:argosy.yaml", f"{first}:{TEXT}", f"{first}:{DOCKERFILE}"]))
    assert next(reading)
    for number in range(4):
        commit = shop.commit("Go on", {TEXT: f"ui {number}\n"})
        mirror.update()
        texts.append(mirror.git.file(commit, TEXT))
    assert list(reading) == [shop.git.file(first, TEXT), shop.git.file(first, DOCKERFILE)]
    assert len(list(mirror.path.glob("objects/pack/*.pack"))) <= 5
    assert (mirror.path / f"objects/pack/pack-{own}.idx").exists(), "what was not fetched is not touched"
    shop.run("push", "-qf", "origin", f"{first}:refs/heads/main")
    mirror.update()
    assert texts[1:] == [f"ui {number}\n".encode() for number in range(4)]
    held = mirror.git.text("cat-file", "--batch-all-objects", "--batch-check=%(objectname)").split()
    assert {mine, *(shop.run("rev-parse", f"{commit}~{back}:{TEXT}") for back in range(5))} <= {*held}
    assert not list(mirror.path.glob("objects/pack/tmp_*"))
