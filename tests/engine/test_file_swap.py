"""Several files get their new content together, or each keeps what it had."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from argosy.edits.file_swap import Swap, swap
from argosy.errors import Terminal


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def files(tmp_path: Path) -> dict[Path, Swap]:
    for name in "abc":
        (tmp_path / name).write_text("old")
    (tmp_path / "b").chmod(0o750)
    return {tmp_path / name: Swap(b"old", f"new {name}".encode()) for name in "abc"}


def test_all_are_replaced_with_their_modes_kept_and_nothing_else_is_left(
    tmp_path: Path, files: dict[Path, Swap]
) -> None:
    swap(files)
    assert content(tmp_path) == {"a": b"new a", "b": b"new b", "c": b"new c"}
    assert stat.S_IMODE((tmp_path / "b").stat().st_mode) == 0o750


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_whose_file_it_was_it_stays(tmp_path: Path, files: dict[Path, Swap]) -> None:
    os.chown(tmp_path / "a", 12345, 54321)
    swap(files)
    status = (tmp_path / "a").stat()
    assert (status.st_uid, status.st_gid) == (12345, 54321)


def test_a_file_that_cannot_take_its_place_leaves_all_as_they_were(tmp_path: Path, files: dict[Path, Swap]) -> None:
    def move(source: Path, target: Path) -> None:
        if target.name == "c":
            raise OSError(28, "No space left on device", str(target))
        source.replace(target)

    with pytest.raises(Terminal, match="c cannot be written: No space left on device"):
        swap(files, move)
    assert content(tmp_path) == {"a": b"old", "b": b"old", "c": b"old"}
    assert stat.S_IMODE((tmp_path / "b").stat().st_mode) == 0o750


def test_a_file_that_somebody_changed_meanwhile_leaves_all_as_they_are(tmp_path: Path, files: dict[Path, Swap]) -> None:
    (tmp_path / "c").write_text("theirs")
    with pytest.raises(Terminal, match="c was changed meanwhile"):
        swap(files)
    assert content(tmp_path) == {"a": b"old", "b": b"old", "c": b"theirs"}


def test_a_file_that_is_gone_leaves_all_as_they_are(tmp_path: Path, files: dict[Path, Swap]) -> None:
    (tmp_path / "c").unlink()
    with pytest.raises(Terminal, match="c cannot be written: No such file"):
        swap(files)
    assert content(tmp_path) == {"a": b"old", "b": b"old"}
