"""The git plumbing where git itself fails: what is damaged, slow or somebody else's."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from argosy.errors import Transient
from argosy.git import GitError
from tests import processes
from tests.engine.shop import Shop


def damage(shop: Shop, path: str) -> None:
    """Cut the loose object of the file at `path` short."""
    blob = shop.run("rev-parse", f"HEAD:{path}")
    loose = shop.path / ".git/objects" / blob[:2] / blob[2:]
    loose.chmod(0o644)
    loose.write_bytes(loose.read_bytes()[:-12])


def test_a_damaged_object_is_an_error_with_a_remedy_and_never_a_shorter_file(shop: Shop) -> None:
    shop.commit("Grow", {"src/ui/main.txt": "".join(f"{n}\n" for n in range(100_000))})
    damage(shop, "src/ui/main.txt")
    with pytest.raises(GitError, match=r"cat-file failed: .*damaged .*git fsck"):
        shop.git.file(shop.head, "src/ui/main.txt")


def test_a_folder_that_is_no_repository_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    git = type(Shop(tmp_path).git)(tmp_path)
    with pytest.raises(GitError, match=r"not a git repository.*git fsck"):
        git.tree("HEAD")
    with pytest.raises(GitError, match=r"cat-file failed"):
        git.file("HEAD", "a")


def test_a_repository_of_another_user_names_the_way_out(shop: Shop) -> None:
    with pytest.raises(GitError, match=r"dubious ownership.*as the user that owns"):
        shop.git.run("log", extra={"GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"})


def test_what_takes_too_long_is_ended_with_all_that_it_started(shop: Shop) -> None:
    settings = ["-c", "alias.wait=!sleep 600 & echo $! > .git/child; wait"]
    with pytest.raises(Transient, match="git wait took longer than 1 s"):
        shop.git.run(*settings, "wait", timeout=1)
    child = Path("/proc") / (shop.path / ".git/child").read_text().strip()
    deadline = time.monotonic() + 10
    while processes.runs(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not processes.runs(child)


def test_paths_of_every_kind_are_read(shop: Shop) -> None:
    names = ["a b", "-x", "q\"uo'te", "new\nline", "tab\t", "back\\slash", "caf\u00e9", "a:b", "*"]
    shop.commit("Name oddly", {f"odd/{name}": f"{name}!" for name in names})
    found = [entry for entry in shop.git.tree(shop.head) if entry.path.startswith("odd/")]
    assert sorted(entry.path for entry in found) == sorted(f"odd/{name}" for name in names)
    contents = list(shop.git.objects(entry.object_id for entry in found))
    assert contents == [f"{entry.path[4:]}!".encode() for entry in found]
    for name in set(names) - {"new\nline"}:
        assert shop.git.file(shop.head, f"odd/{name}") == f"{name}!".encode()
    assert shop.git.file(shop.head, "odd/new\nline") is None
    assert shop.git.file(shop.head, "odd") is None
