"""`argosy init` as a process: what it writes, what it says, and what it leaves alone."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from argosy.settings.schema import text as schema
from tests.cli.process import argosy, spoken
from tests.discovery.repository import chart, made

FILES = {"src/ui/Dockerfile": "FROM busybox\n", **chart("src/ui/chart", "ui")}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return made(tmp_path / "shop", FILES)


def names(root: Path) -> set[str]:
    return {path.name for path in root.iterdir()}


def test_it_writes_a_configuration_that_is_right_with_its_schema_beside_it(root: Path) -> None:
    done = argosy("init", cwd=root)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("wrote argosy.yaml and .argosy/schema.json: 1 services; environments: prod\n")
    assert "decide registry.account_id: nothing says it" in done.stdout
    first = (root / "argosy.yaml").read_text().splitlines()[0]
    assert first == "# yaml-language-server: $schema=.argosy/schema.json"
    assert (root / ".argosy/schema.json").read_text() == schema()
    assert str(root) not in (root / "argosy.yaml").read_text()
    assert names(root) == {"argosy.yaml", ".argosy", "src"}
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    subprocess.run(["git", "add", "-A"], cwd=root, check=True)
    check = argosy("config", "check", "--json", cwd=root)
    assert check.returncode == 0
    assert "the placeholder of argosy init" in check.stdout


def test_under_json_it_says_what_it_wrote_and_could_not_decide(root: Path) -> None:
    found = spoken(argosy("init", "--json", "--repo", str(root), cwd=root.parent))
    assert found["written"] == ["argosy.yaml", ".argosy/schema.json"]
    assert (found["services"], found["environments"]) == (["ui"], ["prod"])
    assert "registry.account_id" in {each["key"] for each in found["undecided"]}
    assert found["text"] == (root / "argosy.yaml").read_text()


@pytest.mark.parametrize("option", ["--print", "--dry-run"])
def test_a_dry_run_shows_the_file_and_writes_none(root: Path, option: str) -> None:
    done = argosy("init", option, cwd=root)
    assert (done.returncode, names(root)) == (0, {"src"})
    assert "decide registry.account_id" in done.stderr
    assert spoken(argosy("init", option, "--json", cwd=root))["written"] == []
    argosy("init", cwd=root)
    assert (root / "argosy.yaml").read_text() == done.stdout


@pytest.mark.parametrize("there", ["version: 1\n", None])
def test_what_is_there_stays_unless_it_is_forced(root: Path, there: str | None) -> None:
    if there:
        (root / "argosy.yaml").write_text(there)
    else:
        (root / "argosy.yaml").symlink_to(root.parent / "nowhere")
    done = argosy("init", cwd=root)
    assert (done.returncode, done.stdout, names(root)) == (2, "", {"argosy.yaml", "src"})
    assert "--force" in done.stderr
    assert there is None or (root / "argosy.yaml").read_text() == there
    assert argosy("init", "--force", cwd=root).returncode == 0
    assert "ui: {}" in (root / "argosy.yaml").read_text()
    assert not (root / "argosy.yaml").is_symlink()
    assert not (root.parent / "nowhere").exists()


def test_a_state_folder_that_leads_elsewhere_is_not_written_through(root: Path) -> None:
    (root / ".argosy").symlink_to(root.parent)
    done = argosy("init", cwd=root)
    assert done.returncode == 2
    assert names(root) == {".argosy", "src"}
    assert names(root.parent) == {"shop"}


def test_a_folder_that_cannot_be_written_is_named(root: Path) -> None:
    done = argosy("init", "--config", str(root / "nowhere" / "argosy.yaml"), "--json", cwd=root)
    assert done.returncode == 1
    assert "cannot be written" in spoken(done)["error"]["message"]


def test_a_repository_without_services_ends_in_two(tmp_path: Path) -> None:
    done = argosy("init", cwd=tmp_path)
    assert (done.returncode, [*tmp_path.iterdir()]) == (2, [])
    assert "no Dockerfile was found" in done.stderr
