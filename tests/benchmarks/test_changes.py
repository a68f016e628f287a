from __future__ import annotations

import sys
from pathlib import Path

import pytest

from argosy.errors import Terminal
from benchmarks import monorepos, peer
from benchmarks.changes import MEMORY, Case
from benchmarks.processes import peak, run
from benchmarks.report import Figure


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(peer.VARIABLE, raising=False)


def case(folder: Path, *changed: str) -> Case:
    git = monorepos.large(folder / "large", services=3, files=4)
    return Case("few services", git, monorepos.names(3), changed, times=0.5, seconds=2.0)


def test_every_file_of_the_large_repository_changes(tmp_path: Path, alone: None) -> None:
    git = case(tmp_path).git
    assert len(git.text("diff", "--name-only", "HEAD~1", "HEAD").splitlines()) == 12
    assert len(monorepos.names()) * monorepos.FILES == 50_000


def test_every_commit_of_the_example_changes_one_service(tmp_path: Path) -> None:
    git = monorepos.example(tmp_path / "small", commits=3)
    for commit in git.text("rev-list", "HEAD~2..HEAD").splitlines():
        changed = git.text("diff", "--name-only", f"{commit}~1", commit).splitlines()
        assert [path.partition("/")[0] for path in changed] == ["NOTES", "src"]


def test_what_is_found_wrong_is_no_time(tmp_path: Path, alone: None) -> None:
    assert case(tmp_path, *monorepos.names(3)).subjects()["argosy, few services"]() > 0
    (tmp_path / "again").mkdir()
    with pytest.raises(Terminal, match="service-0000"):
        case(tmp_path / "again", "service-0001").subjects()["argosy, few services"]()


def test_limits_are_in_times_of_the_peer_where_it_is_there(tmp_path: Path, alone: None) -> None:
    few = case(tmp_path, *monorepos.names(3))
    ours, theirs = (
        Figure(name=few.called(name), rounds=(seconds,)) for name, seconds in (("argosy", 1.0), ("peer", 4.0))
    )
    with_peer, memory = few.ratios({each.name: each for each in (ours, theirs)})
    alone_too, _ = few.ratios({ours.name: ours})
    assert (with_peer.value, with_peer.limit) == (0.25, 0.5)
    assert (alone_too.value, alone_too.limit) == (1.0, 2.0)
    assert 5 < memory.value < memory.limit == MEMORY


def test_a_peer_that_is_not_where_it_is_said_to_be_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(peer.VARIABLE, "/nowhere/index.js")
    with pytest.raises(Terminal, match="no file"):
        peer.available()


def test_a_process_that_breaks_has_no_time(tmp_path: Path) -> None:
    with pytest.raises(Terminal, match="ended with 3"):
        run([sys.executable, "-c", "raise SystemExit(3)"], tmp_path)


def test_the_peak_of_a_process_is_its_own(tmp_path: Path) -> None:
    assert peak([sys.executable, "-c", "x = bytearray(64 << 20)"], tmp_path) > 64
    assert peak([sys.executable, "-c", ""], tmp_path) < 40
