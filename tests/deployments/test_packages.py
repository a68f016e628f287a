"""Debian packages, unpacked without installing: whole or not at all, and from the system's own mirror."""

import subprocess
import threading
from pathlib import Path

import pytest

from argosy.errors import Terminal, Transient
from deployments.local import packages
from deployments.local.packages import unpack

DEB822 = """\
Types: deb
URIs: http://127.0.0.1:9/security
Suites: mine-security
Components: main

Types: deb deb-src
URIs: http://127.0.0.1:9/debian
Suites: mine mine-updates
Components: main
Signed-By: /usr/share/keyrings/archive.gpg
"""


@pytest.fixture
def etc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "apt"
    (folder / "sources.list.d").mkdir(parents=True)
    monkeypatch.setattr(packages, "_ETC", folder)
    monkeypatch.setattr(packages, "release", lambda: ("debian", "mine"))
    return folder


@pytest.mark.e2e
def test_two_at_once_unpack_one_whole_folder(tmp_path: Path) -> None:
    roots: list[Path] = []
    threads = [threading.Thread(target=lambda: roots.append(unpack(["busybox-static"], tmp_path))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert roots[0] == roots[1]
    said = subprocess.run([roots[0] / "bin/busybox", "echo", "hello"], capture_output=True, text=True, check=True)
    assert said.stdout == "hello\n"
    assert sorted(tmp_path.iterdir()) == sorted([roots[0], tmp_path / "packages.lock"])


@pytest.mark.e2e
def test_an_unknown_package_is_quoted_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(Terminal, match="Unable to locate package no-such-package"):
        unpack(["busybox-static", "no-such-package"], tmp_path)
    assert list(tmp_path.iterdir()) == [tmp_path / "packages.lock"]


@pytest.mark.e2e
def test_a_mirror_that_is_down_is_worth_another_try(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    with pytest.raises(Transient, match=r"127\.0\.0\.1:9"):
        unpack(["busybox-static"], tmp_path)


def test_what_a_killed_process_left_is_cleared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "unpacking-half" / "root").mkdir(parents=True)
    monkeypatch.setattr(packages, "_download", lambda names, work: (work / "root").mkdir() or [])
    root = unpack(["busybox-static"], tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted([root, tmp_path / "packages.lock"])


def test_another_release_comes_from_the_mirror_and_under_the_keys_of_the_systems_own(etc: Path) -> None:
    (etc / "sources.list.d" / "debian.sources").write_text(DEB822)
    form, text = packages._source("next")
    assert form == "sources"
    assert text.splitlines() == [
        "Types: deb deb-src",
        "URIs: http://127.0.0.1:9/debian",
        "Suites: next",
        "Components: main",
        "Signed-By: /usr/share/keyrings/archive.gpg",
        "",
    ]


def test_sources_of_one_line_serve_too(etc: Path) -> None:
    lines = [
        "http://127.0.0.1:9/security mine-security main",
        "[arch=amd64] http://127.0.0.1:9/debian mine main contrib",
    ]
    (etc / "sources.list").write_text("".join(f"deb {line}\n" for line in lines))
    assert packages._source("next") == ("list", "deb [arch=amd64] http://127.0.0.1:9/debian next main contrib\n")


def test_a_system_without_apt_is_told_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Terminal, match=r"apt-get and dpkg not found .*DOCKER_HOST"):
        unpack(["runc"], tmp_path)
