"""What a discovery looks at: what git tracks or does not ignore, no links, and not without end."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import FrameType

import pytest

from argosy.discovery import tree
from argosy.discovery.proposal import propose
from argosy.discovery.tree import Tree
from tests.discovery.repository import application, chart, made
from tests.engine.shop import run


def git(root: Path, *words: str) -> str:
    return run("-C", str(root), *words)


def test_what_git_ignores_is_not_looked_at_and_what_it_does_not_know_yet_is(tmp_path: Path) -> None:
    root = made(tmp_path, {".gitignore": "out/\n", "out/a": "", "b": "", "c/d": ""})
    assert Tree.read(root).paths == (".gitignore", "b", "c/d", "out/a")
    git(root, "init", "-q")
    assert Tree.read(root).paths == (".gitignore", "b", "c/d")
    git(root, "add", "b")
    assert Tree.read(root).paths == (".gitignore", "b", "c/d")


@pytest.mark.parametrize("tracked", [True, False])
def test_a_link_is_never_followed(tmp_path: Path, tracked: bool) -> None:
    outside = made(tmp_path / "outside", {"secret.yaml": "x: 1", "Dockerfile": "FROM x"})
    root = made(tmp_path / "root", {"in.yaml": "y: 1"})
    (root / "link.yaml").symlink_to(outside / "secret.yaml")
    (root / "folder").symlink_to(outside)
    os.mkfifo(root / "pipe.yaml")
    if tracked:
        git(root, "init", "-q")
        git(root, "add", "in.yaml", "link.yaml", "folder")
    found = Tree.read(root)
    assert [path for path, _ in found.named(".yaml")] == ["in.yaml"]
    assert found.text("folder/Dockerfile") is None


def test_a_tracked_folder_that_became_a_link_is_not_followed_either(tmp_path: Path) -> None:
    outside = made(tmp_path / "outside", {"a.yaml": "x: 1"})
    root = made(tmp_path / "root", {"folder/a.yaml": "y: 1"})
    git(root, "init", "-q")
    git(root, "add", "-A")
    (root / "folder/a.yaml").unlink()
    (root / "folder").rmdir()
    (root / "folder").symlink_to(outside)
    assert "folder/a.yaml" in Tree.read(root).paths
    assert list(Tree.read(root).named(".yaml")) == []


def test_what_is_large_or_no_text_is_passed_over(tmp_path: Path) -> None:
    root = made(tmp_path, {"large.yaml": "#" * 600_000, "fine.yaml": "\ufeffa: 1"})
    (root / "bytes.yaml").write_bytes(b"a: \0")
    (root / "latin.yaml").write_bytes(b"a: \xe9")
    assert dict(Tree.read(root).named(".yaml")) == {"fine.yaml": "a: 1"}


def test_what_is_too_much_is_looked_at_in_part_and_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {f"src/s{n}/Dockerfile": "FROM x\n" for n in range(6)} | {f"a/{n}.yaml": "" for n in range(9)}
    app = {"deploy/argocd/s0.yaml": application("app-s0", "src/s0/chart")}
    root = made(tmp_path, files | app | chart("src/s0/chart", "s0"))
    monkeypatch.setattr(tree, "_MOST_READ", 4)
    proposal = propose(root)
    assert "more files than were looked at" in str(proposal.notes)
    assert (proposal.application, [each.name for each in proposal.services]) == ("app-{service}", ["s0"])
    assert "no values file" not in str(proposal.notes)
    monkeypatch.setattr(tree, "_MOST_READ", 1000)
    monkeypatch.setattr(tree, "_MOST_FILES", 11)
    assert "more files than were looked at" in str(propose(root).notes)


def test_the_default_branch_is_that_of_the_remote_before_the_one_checked_out(tmp_path: Path) -> None:
    origin = made(tmp_path / "origin", {"a": ""})
    git(origin, "init", "-q", "-b", "trunk")
    git(origin, "add", "-A")
    git(origin, "commit", "-q", "-m", "x")
    run("clone", "-q", str(origin), str(tmp_path / "clone"))
    git(tmp_path / "clone", "checkout", "-q", "-b", "feature")
    found = Tree.read(tmp_path / "clone")
    assert (found.default_branch, sorted(found.branches)) == ("trunk", ["feature", "trunk"])
    assert Tree.read(origin / ".." / "clone").default_branch == "trunk"


def calls(root: Path, services: int) -> int:
    files = {f"src/s{n:03}/Dockerfile": "FROM x\nCOPY . /\n" for n in range(services)}
    charts = {path: text for n in range(services) for path, text in chart(f"charts/s{n:03}", f"s{n:03}").items()}
    made(root, files | charts)
    count = 0

    def step(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    sys.setprofile(step)
    try:
        propose(root)
    finally:
        sys.setprofile(None)
    return count


def test_the_cost_grows_with_the_services_and_no_faster(tmp_path: Path) -> None:
    calls(tmp_path / "once", 3)
    assert calls(tmp_path / "more", 200) < 5 * calls(tmp_path / "few", 50)
