"""A file that appears whole, and takes no other's place unasked."""

from __future__ import annotations

from pathlib import Path

import pytest

from argosy.errors import Terminal, WrongUse
from argosy.new_file import place


def test_a_file_that_came_in_between_stays_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("theirs")
    with pytest.raises(WrongUse, match="is there already"):
        place(file, "ours", replace=False)
    assert file.read_text() == "theirs"
    place(file, "ours", replace=True)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("a.yaml", "ours")]


def test_a_link_is_replaced_and_what_it_leads_to_is_not(tmp_path: Path) -> None:
    (tmp_path / "other").write_text("theirs")
    (tmp_path / "a.yaml").symlink_to("other")
    place(tmp_path / "a.yaml", "ours", replace=True)
    assert ((tmp_path / "a.yaml").read_text(), (tmp_path / "other").read_text()) == ("ours", "theirs")


def test_where_nothing_can_be_written_nothing_is_left_behind(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(Terminal, match="cannot be written"):
        place(tmp_path / "folder", "ours", replace=True)
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]
