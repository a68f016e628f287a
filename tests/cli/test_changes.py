"""`argosy changes` as a process: what it is told, what it says and what it ends with."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from argosy.changes.bases import ZERO
from argosy.cli.change_output import readable
from tests.cli.process import ROOT, argosy, spoken
from tests.engine.shop import Shop

NONE = {"ui": False, "cart": False}
UI = {"ui": True, "cart": False}


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """A shop whose second commit changes the ui."""
    shop = Shop.opened(tmp_path)
    shop.commit("Change the ui", {"src/ui/main.txt": "two\n"})
    return shop


def outputs(text: str) -> dict[str, Any]:
    """What GitHub Actions reads of the file, each value being JSON."""
    found = re.findall(r"([a-z]+)<<(\S+)\n(.*)\n\2\n", text)
    assert "".join(f"{name}<<{mark}\n{value}\n{mark}\n" for name, mark, value in found) == text
    return {name: json.loads(value) for name, _, value in found}


def test_the_map_is_between_full_shas(shop: Shop) -> None:
    done = argosy("changes", "--base", "HEAD~1", "--json", cwd=shop.path)
    base, head = shop.run("rev-list", "--reverse", "HEAD").splitlines()
    assert (done.returncode, done.stderr) == (0, "")
    assert spoken(done) == {"base": base, "head": head, "services": UI}


def test_without_options_it_is_about_the_last_commit_of_the_default_branch(shop: Shop) -> None:
    assert spoken(argosy("changes", "--json", cwd=shop.path))["services"] == UI
    assert spoken(argosy("changes", "--json", "--repo", str(shop.origin)))["services"] == UI


def test_the_files_behind_each_verdict_are_shown(shop: Shop) -> None:
    found = spoken(argosy("changes", "--json", "--files", cwd=shop.path))
    assert found["files"] == {"ui": ["src/ui/main.txt"], "cart": []}
    lines = argosy("changes", "--files", cwd=shop.path).stdout.splitlines()
    assert lines == ["ui    changed", "  modified  src/ui/main.txt", "cart  unchanged"]


def test_the_filters_are_those_of_the_head_of_a_file_or_of_the_work_tree(shop: Shop, tmp_path: Path) -> None:
    (shop.path / "argosy.yaml").write_text("wrong: [")
    assert spoken(argosy("changes", "--json", cwd=shop.path))["services"] == UI
    (tmp_path / "filters.yaml").write_text("text: '**/*.txt'\nnone: []\n")
    asked = ("changes", "--json", "--filters", str(tmp_path / "filters.yaml"))
    assert spoken(argosy(*asked, cwd=shop.path))["services"] == {"text": True, "none": False}
    assert argosy("changes", "--config", "argosy.yaml", cwd=shop.path).returncode == 2
    text = shop.run("show", "HEAD:argosy.yaml").replace("  cart: {}", "  cart: {shared: [src/ui]}")
    shop.commit("Lose it", {"argosy.yaml": None})
    (shop.path / "argosy.yaml").write_text(text)
    found = spoken(argosy("changes", "--json", "--base", "HEAD~2", cwd=shop.path))
    assert found["services"] == {"ui": True, "cart": True}


def test_the_quantifier_is_that_of_the_document(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "filters.yaml").write_text("ui: ['src/**', '!**/*.txt']\n")
    asked = ("changes", "--json", "--filters", str(tmp_path / "filters.yaml"), "--quantifier")
    verdicts = [
        spoken(argosy(*asked, each, cwd=shop.path))["services"]["ui"]
        for each in ("some", "every", "some-with-excludes")
    ]
    assert verdicts == [True, False, False]


def test_nothing_to_do_is_told_apart_only_where_it_is_asked_for(shop: Shop) -> None:
    nothing = ("changes", "--base", "HEAD", "--json")
    assert spoken(argosy(*nothing, cwd=shop.path))["services"] == NONE
    assert argosy(*nothing, cwd=shop.path).returncode == 0
    assert argosy(*nothing, "--exit-code", cwd=shop.path).returncode == 3
    assert argosy("changes", "--exit-code", cwd=shop.path).returncode == 0
    assert argosy("changes", "--exit-code", "--history", "HEAD..HEAD", cwd=shop.path).returncode == 3


def test_a_base_that_is_gone_changes_everything_and_says_why(shop: Shop) -> None:
    found = spoken(argosy("changes", "--base", "ba5e" * 10, "--json", "--files", cwd=shop.path))
    assert found["services"] == {"ui": True, "cart": True}
    assert found["files"] == {"ui": [], "cart": []}
    assert "could not be fetched" in found["reason"]
    assert "could not be fetched" in argosy("changes", "--base", "ba5e" * 10, cwd=shop.path).stdout


def test_an_empty_base_is_none(shop: Shop) -> None:
    assert spoken(argosy("changes", "--base", "", "--json", cwd=shop.path))["services"] == UI
    assert spoken(argosy("changes", "--base", ZERO, "--json", cwd=shop.path))["base"] == ZERO


@pytest.mark.parametrize(
    "listed", [b"src/ui/a\nREADME.md\n", b"src/c\nart/b\0src/ui/a\0", b"./src/ui/\xff", b'src/ui/"a b"\n']
)
def test_files_can_be_listed_instead_of_commits(shop: Shop, listed: bytes, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "argosy", "changes", "--repo", str(shop.path), "--json", "--files-from"]
    done = subprocess.run([*command, "-"], input=listed, capture_output=True, cwd=ROOT, check=True)
    assert json.loads(done.stdout) == {"base": None, "head": None, "services": UI}
    (tmp_path / "list").write_bytes(listed)
    done = subprocess.run([*command, str(tmp_path / "list")], capture_output=True, cwd=ROOT, check=True)
    assert json.loads(done.stdout)["services"] == UI


def test_a_history_is_a_line_of_json_for_each_commit(shop: Shop) -> None:
    shop.commit("Nothing", {})
    shop.commit("Change the cart", {"src/cart/main.txt": "two\n"})
    shas = shop.run("rev-list", "--reverse", "HEAD").splitlines()
    done = argosy("changes", "--history", f"{shas[0]}..HEAD", cwd=shop.path)
    assert [json.loads(line) for line in done.stdout.splitlines()] == [
        {"base": shas[0], "head": shas[1], "services": UI},
        {"base": shas[1], "head": shas[2], "services": NONE},
        {"base": shas[2], "head": shas[3], "services": {"ui": False, "cart": True}},
    ]


def test_every_line_of_a_history_is_what_the_two_commits_give(shop: Shop) -> None:
    for number in range(4):
        name = ("ui", "cart")[number % 2]
        shop.commit(f"Commit {number}", {f"src/{name}/n{number}": "x", "README.md": str(number)})
    for line in argosy("changes", "--history", f"{ZERO}..HEAD", "--files", cwd=shop.path).stdout.splitlines()[1:]:
        found = json.loads(line)
        asked = ("--base", found["base"], "--head", found["head"])
        assert spoken(argosy("changes", *asked, "--files", "--json", cwd=shop.path)) == found


def test_github_gets_the_map_the_list_and_whether_there_is_any(shop: Shop, tmp_path: Path) -> None:
    file = tmp_path / "output"
    file.write_text("before<<E\n1\nE\n")
    told = argosy("changes", "--json", "--github-output", cwd=shop.path, GITHUB_OUTPUT=str(file))
    assert spoken(told)["services"] == UI
    assert outputs(file.read_text()) == {"before": 1, "services": UI, "changes": ["ui"], "any": True}
    marks = {*re.findall("<<(.+)", file.read_text())}
    file.write_text("")
    argosy("changes", "--base", "HEAD", "--github-output", cwd=shop.path, GITHUB_OUTPUT=str(file))
    assert outputs(file.read_text()) == {"services": NONE, "changes": [], "any": False}
    marks |= {*re.findall("<<(.+)", file.read_text())}
    assert len(marks - {"E"}) == 2  # another one each time
    assert all(len(mark) >= 32 for mark in marks - {"E"})


def test_a_name_cannot_end_an_output_early_nor_reach_a_shell(shop: Shop, tmp_path: Path) -> None:
    name = '$(id)`x`\nany<<E\ntrue\nE\n"'
    (tmp_path / "filters.yaml").write_text(json.dumps({name: "**"}))
    file = tmp_path / "output"
    done = argosy(
        "changes",
        "--github-output",
        "--filters",
        str(tmp_path / "filters.yaml"),
        cwd=shop.path,
        GITHUB_OUTPUT=str(file),
    )
    assert done.returncode == 0
    assert outputs(file.read_text()) == {"services": {name: True}, "changes": [name], "any": True}


@pytest.mark.parametrize("file", ["", "/nowhere/output"])
def test_without_a_github_output_that_is_asked_for_nothing_is_said(shop: Shop, file: str) -> None:
    done = argosy("changes", "--github-output", cwd=shop.path, GITHUB_OUTPUT=file)
    assert (done.returncode, done.stdout) == (2, "")


@pytest.mark.parametrize(
    "words",
    [
        ["--history", "A..B", "--base", "main"],
        ["--history", "HEAD~1..HEAD", "--github-output"],
        ["--files-from", "-", "--head", "main"],
        ["--files-from", "/nowhere"],
        ["--filters", "/nowhere"],
        ["--config", "/nowhere"],
        ["--quantifier", "none"],
        ["--base=--output=x"],
        ["--head=-x"],
        ["--base", "no-such"],
        ["--default-branch=-x", "--base", ZERO],
        ["--base", "mai"],
    ],
)
def test_wrong_use_is_two_and_touches_nothing(shop: Shop, words: list[str]) -> None:
    done = argosy("changes", "--json", *words, cwd=shop.path)
    assert done.returncode == 2
    assert spoken(done)["error"]["remedy"]
    assert shop.run("status", "--porcelain") == ""


def test_a_folder_that_is_no_repository_is_told_to_be_none(tmp_path: Path) -> None:
    for words in ((), ("--history", "A..B")):
        done = argosy("changes", "--json", "--repo", str(tmp_path), *words)
        assert done.returncode == 2
        assert spoken(done)["error"]["message"] == f"{tmp_path} is no git repository"


def test_names_of_files_are_valid_json_whatever_their_bytes(shop: Shop) -> None:
    names = [b"a b", b'a"b', b"a\tb", b"a\nb", "ü".encode(), b"\xff"]
    for name in names:
        Path(os.fsdecode(os.fsencode(shop.path / "src/ui") + b"/" + name)).write_text("x")
    shop.commit("Name them", {})
    done = argosy("changes", "--files", "--json", cwd=shop.path)
    assert sorted(spoken(done)["files"]["ui"]) == sorted(
        f"src/ui/{name}" for name in ("a b", 'a"b', "a\tb", "a\nb", "ü", "\\xff")
    )
    assert json.dumps(spoken(done)).encode()  # no half of a surrogate pair in it
    assert "src/ui/a\\nb" in argosy("changes", "--files", cwd=shop.path).stdout
    assert readable("\udcff") == "\\xff"


def test_a_terminal_gets_a_table(shop: Shop) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "argosy", "changes", "--files"]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": "80"}
    subprocess.run(command, cwd=shop.path, stdout=theirs, env=environment, check=True)
    os.close(theirs)
    shown = os.read(ours, 65536).decode()
    os.close(ours)
    assert "\x1b[32mchanged" in shown
    assert "src/ui/main.txt" in shown


def test_what_is_slow_to_load_is_not_loaded(shop: Shop) -> None:
    program = "import sys\nfrom argosy.cli import main\nmain(['changes', '--json', '--files'])\n"
    slow = {"prefect", "boto3", "docker", "git", "httpx", "filelock", "pydantic", "rich", "wcmatch", "argosy.redact"}
    program += f"sys.exit(str({slow!r} & set(sys.modules) or ''))"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=shop.path, env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stderr.strip() == ""
    assert spoken(done)["services"] == UI
