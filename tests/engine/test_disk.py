"""A disk that is full, really: a small file system in memory. Making one takes root, as the embedded stack does."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from argosy import home as homes
from argosy.builds.builders import BuilderHost
from argosy.builds.images import build
from argosy.builds.request import BuildRequest
from argosy.errors import Terminal, Transient
from argosy.gitops.mirror import Mirror
from argosy.gitops.remote import Remote
from argosy.models import BuildContext, ImageReference, Service
from tests.engine.shop import Shop
from tests.engine.target import Target

NOISY = """\
#!/bin/sh
[ "$1" = info ] && printf '[]\\n[]\\n'
[ "$2" = build ] || exit 0
cat >/dev/null
while :; do echo 'a line of output that is long enough to fill a disk'; done
"""
SHA = "a" * 40


def mount(folder: Path, *options: str) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", ",".join(options), "tmpfs", str(folder)], check=True)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A folder with half a megabyte of room."""
    folder = tmp_path / "small"
    folder.mkdir()
    try:
        mount(folder, "size=512k", "mode=0700")
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("mounting a file system takes root")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_mirror_without_room_says_so_and_is_whole_once_there_is(shop: Shop, small: Path) -> None:
    noise = shop.path / "noise"
    noise.write_bytes(os.urandom(1_000_000))
    shop.commit("Grow", {})
    mirror = Mirror(small, Remote(str(shop.origin)))
    with pytest.raises(Transient, match=r"no room|is full") as caught:
        mirror.update()
    assert "make room" in (caught.value.remedy or "")
    mount(small, "remount", "size=16m")
    mirror.update()
    assert mirror.git.file(shop.head, "noise") == noise.read_bytes()


def test_a_release_without_room_is_pushed_by_nobody_and_goes_through_once_there_is(shop: Shop, small: Path) -> None:
    mount(small, "remount", "size=8m")
    target = Target(shop, small)
    filler, source, release = small / "filler", shop.head, target.release()
    filled(filler)
    with pytest.raises(Transient, match=r"no room|is full") as caught:
        target.writer.write_back(source, [release])
    assert "make room" in (caught.value.remedy or "")
    assert target.log() == ["Open the shop"]
    filler.unlink()
    assert target.writer.write_back(source, [release]).commit


def filled(file: Path) -> None:
    """Fill the disk to its last byte."""
    with suppress(OSError), file.open("wb", buffering=0) as stream:
        for size in (65536, 4096, 1):
            with suppress(OSError):
                while stream.write(bytes(size)):
                    pass


def test_a_build_log_without_room_ends_the_build_and_says_so(small: Path, tmp_path: Path) -> None:
    client = tmp_path / "bin/docker"
    client.parent.mkdir()
    client.write_text(NOISY)
    client.chmod(0o755)
    service = Service("ui", "ui", "ui/chart", "ui/chart/values.yaml", "ui", BuildContext("ui", "ui/Dockerfile"))
    reference = ImageReference("127.0.0.1:1/ui", SHA)
    request = BuildRequest(service, (reference,), "Dockerfile", lambda _stream: None, small)
    host = BuilderHost(environment={"PATH": f"{client.parent}:{os.environ['PATH']}"})
    with pytest.raises(Transient, match=f"the disk of {small} is full") as caught:
        build(request, host, {}, lambda _line: None)
    assert "ARGOSY_HOME" in (caught.value.remedy or "")
    assert [path.name for path in small.iterdir()] == ["build-ui.log"]  # and no folder with a login


def test_a_home_that_no_folder_can_be_made_in_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("ARGOSY_HOME", str(tmp_path / "file/argosy"))
    with pytest.raises(Terminal, match=r"file/argosy cannot be used: Not a directory .*ARGOSY_HOME"):
        homes.home()
