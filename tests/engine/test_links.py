"""Symbolic links where a release reads or writes: none is followed, wherever it leads."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from argosy.errors import ArgosyError, Terminal
from argosy.inputs.build_context import export
from argosy.inputs.snapshot import Snapshot
from argosy.state import current_reference
from tests.engine.shop import Shop


def linked(shop: Shop, path: str, target: str) -> str:
    """Replace what lies at `path` by a link to `target`, and return the commit."""
    shop.run("rm", "-r", "-q", "--ignore-unmatch", path)
    link = shop.path / path
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(target)
    return shop.commit("Link", {})


@pytest.mark.parametrize("path", ["src/ui", "src/ui/Dockerfile", "src"])
@pytest.mark.parametrize("target", ["/etc", "../../../../../etc/passwd", "cart"])
def test_a_context_or_dockerfile_behind_a_link_is_refused_by_name(shop: Shop, path: str, target: str) -> None:
    service = shop.environment().service("ui")
    commit = linked(shop, path, target)
    what_to_do = r"\(name in argosy.yaml what it leads to, inside|\(commit a Dockerfile there"
    with pytest.raises(Terminal, match=rf"^ui: {path} is (a symbolic link|no regular file) .*({what_to_do})"):
        Snapshot(shop.git, commit).inputs(service)


@pytest.mark.parametrize("path", ["src/ui/chart/values-dev.yaml", "src/ui/chart"])
@pytest.mark.parametrize("target", ["/etc/passwd", "../../../../../etc", "values.yaml"])
def test_a_values_file_behind_a_link_is_neither_read_nor_written(shop: Shop, path: str, target: str) -> None:
    service = shop.environment().service("ui")
    commit = linked(shop, path, target)
    said = r"^ui: src/ui/chart/values-dev.yaml is (a symbolic link|not) in .*\(commit a (values )?file there"
    with pytest.raises(ArgosyError, match=said):
        current_reference(shop.git, commit, service)


def test_a_link_inside_a_context_stays_a_link_in_the_export(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("of this machine")
    commit = linked(shop, "src/ui/out", str(tmp_path / "secret"))
    stream = io.BytesIO()
    export(shop.git, Snapshot(shop.git, commit).inputs(shop.environment().service("ui")), stream)
    assert b"of this machine" not in stream.getvalue()
    stream.seek(0)
    with tarfile.open(fileobj=stream) as archive:
        assert archive.getmember("out").issym()
