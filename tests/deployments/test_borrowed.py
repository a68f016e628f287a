"""A repository of the user's for the demo: what is taken of it, and what is said of one that cannot be released."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from argosy.errors import ConfigurationError, ExitCode, WrongUse
from argosy.git import Git
from deployments.local.borrowed import borrowed
from deployments.local.seed import EXAMPLE

ROOT = Path(__file__).parents[2]
DEVELOPER = ("-c", "user.name=Dev", "-c", "user.email=dev@example.com")
STRANGER = 65_534
RIGHT = (EXAMPLE / "argosy.yaml").read_text()


def commit(folder: Path) -> None:
    git = Git(folder)
    git.run("init", "--quiet")
    git.run("add", "--all")
    git.run(*DEVELOPER, "commit", "--quiet", "--allow-empty", "--message", "All of it")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "argosy.yaml").write_text(RIGHT)
    (folder / "kept.txt").write_text("as committed\n")
    commit(folder)
    return folder


def contents(folder: Path) -> dict[Path, bytes]:
    return {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_of_a_repository_what_is_committed_is_taken_and_nothing_is_changed(repository: Path) -> None:
    (repository / "kept.txt").write_text("not committed\n")
    (repository / "new.txt").write_text("nor is this\n")
    before = contents(repository)
    with borrowed(repository) as copy:
        assert {file.name: file.read_text() for file in copy.iterdir()} == {
            "argosy.yaml": RIGHT,
            "kept.txt": "as committed\n",
        }
    assert not copy.exists()
    assert contents(repository) == before


def test_of_a_folder_every_file_is_taken(repository: Path) -> None:
    shutil.rmtree(repository / ".git")
    with borrowed(repository) as copy:
        assert sorted(file.name for file in copy.iterdir()) == ["argosy.yaml", "kept.txt"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a repository to somebody else")
def test_root_reads_a_repository_of_another_user_and_runs_nothing_that_it_names(
    repository: Path, tmp_path: Path
) -> None:
    trap, sprung = tmp_path / "trap", tmp_path / "sprung"
    trap.write_text(f"#!/bin/sh\ntouch {sprung}\nexit 1\n")
    trap.chmod(0o755)
    for key in ("uploadpack.packObjectsHook", "core.fsmonitor", "core.sshCommand"):
        Git(repository).run("config", key, str(trap))
    for file in (repository, *repository.rglob("*")):
        os.chown(file, STRANGER, STRANGER)
    with borrowed(repository) as copy:
        assert (copy / "kept.txt").read_text() == "as committed\n"
    assert not sprung.exists()


def broken(text: str) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        (folder / "argosy.yaml").write_text(text)
        commit(folder)

    return spoil


def gone(folder: Path) -> None:
    shutil.rmtree(folder)


def uncommitted(folder: Path) -> None:
    Git(folder).run("rm", "--quiet", "--cached", "argosy.yaml")
    Git(folder).run(*DEVELOPER, "commit", "--quiet", "--message", "Forget it")


def linked(folder: Path) -> None:
    (folder / "argosy.yaml").unlink()
    (folder / "argosy.yaml").symlink_to(EXAMPLE / "argosy.yaml")
    commit(folder)


def empty(folder: Path) -> None:
    shutil.rmtree(folder / ".git")
    Git(folder).run("init", "--quiet")


MISSPELT = RIGHT.replace("\nregistry:", "\nregistty:")
REFUSALS = [
    (gone, WrongUse, "is no folder", "give the path"),
    (broken("version: ["), ConfigurationError, r"mine/argosy\.yaml:\d+:\d+: ", "correct the YAML"),
    (
        broken(MISSPELT),
        ConfigurationError,
        "registty is not a known key",
        r"did you mean registry\? \(1 more: ",
    ),
    (broken("version: 1\n"), ConfigurationError, "registry is missing", "add registry"),
    (uncommitted, ConfigurationError, "has not committed its argosy.yaml", "commit it"),
    (linked, ConfigurationError, "has no file argosy.yaml", "write one"),
    (empty, ConfigurationError, "cannot be cloned", "commit something"),
]


@pytest.mark.parametrize(("spoil", "kind", "words", "remedy"), REFUSALS)
def test_what_cannot_be_released_is_said_with_its_remedy(
    repository: Path, spoil: Callable[[Path], None], kind: type[Exception], words: str, remedy: str
) -> None:
    spoil(repository)
    with pytest.raises(kind, match=f"(?s){words}.*{remedy}"), borrowed(repository):
        pass


def test_an_environment_that_is_not_described_is_refused(repository: Path) -> None:
    with borrowed(repository, "prod"):
        pass
    with (
        pytest.raises(ConfigurationError, match=r"no environment live.*it has dev, prod"),
        borrowed(repository, "live"),
    ):
        pass


def test_an_environment_whose_charts_lie_apart_is_refused(repository: Path) -> None:
    file = repository / "argosy.yaml"
    file.write_text(RIGHT.replace("target: {branch", "target: {repository: charts, branch"))
    commit(repository)
    with borrowed(repository):
        pass
    with pytest.raises(ConfigurationError, match=r"charts of prod lie in .*target.repo"), borrowed(repository, "prod"):
        pass


@pytest.mark.parametrize("command", ["demo", "up"])
def test_a_command_on_a_wrong_repository_starts_nothing(repository: Path, tmp_path: Path, command: str) -> None:
    broken("version: [")(repository)
    home = tmp_path / "home"
    done = subprocess.run(
        [sys.executable, "-m", "deployments.local", command, "--repo", str(repository)],
        cwd=ROOT, env=os.environ | {"ARGOSY_HOME": str(home)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == ExitCode.WRONG
    assert f"argosy: {repository}/argosy.yaml:" in done.stderr
    assert "Traceback" not in done.stderr
    assert not home.exists()
