"""`argosy edit` as a process: what it sets, what it says, and what it leaves alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.process import ROOT, argosy, spoken

UI = "# ui\nimage:\n  repository: shop/ui   # ours\n  tag: '1.0'\n"
CART = "\ufeffimage: {repository: shop/cart, tag: old}\r\n# end é"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "shop"
    root.mkdir()
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    write(root / "charts/ui/values.yaml", UI)
    write(root / "charts/the cart/values.yaml", CART)
    return root


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())


def content(root: Path) -> tuple[str, str]:
    paths = (root / "charts/ui/values.yaml", root / "charts/the cart/values.yaml")
    return paths[0].read_bytes().decode(), paths[1].read_bytes().decode()


BOTH = [
    "--file", "charts/ui/values.yaml", "--set", "image.tag=v2", "--set", "image.digest=sha256:ab", "--create",
    "--file", "charts/the cart/values.yaml", "--set", "image.tag=3",
]  # fmt: skip
EDITED = (UI.replace("1.0", "v2") + "  digest: 'sha256:ab'\n", CART.replace("old", '"3"'))


def test_the_scalars_asked_for_are_set_and_told(root: Path) -> None:
    done = argosy("edit", *BOTH, cwd=root)
    assert (done.returncode, done.stderr) == (0, "")
    assert content(root) == EDITED
    assert done.stdout.splitlines() == [
        "charts/ui/values.yaml: image.tag: 1.0 -> v2",
        "charts/ui/values.yaml: image.digest: (nothing) -> sha256:ab",
        "charts/the cart/values.yaml: image.tag: old -> 3",
    ]
    assert [path.name for path in (root / "charts/ui").iterdir()] == ["values.yaml"]


def test_a_check_writes_nothing_and_prints_a_difference_that_git_applies(root: Path) -> None:
    command = [sys.executable, "-m", "argosy", "edit", *BOTH, "--check"]
    printed = subprocess.run(command, cwd=root, env={"PYTHONPATH": str(ROOT)}, capture_output=True, check=True).stdout
    assert content(root) == (UI, CART)
    subprocess.run(["git", "apply", "-"], input=printed, cwd=root, check=True)
    assert content(root) == EDITED


@pytest.mark.parametrize("check", [[], ["--check"]])
def test_under_json_it_says_what_changed_and_what_was_written(root: Path, check: list[str]) -> None:
    found = spoken(argosy("edit", "--json", *check, *BOTH, cwd=root))
    assert found["changed"] is True
    assert found["written"] == ([] if check else ["charts/ui/values.yaml", "charts/the cart/values.yaml"])
    assert found["changes"][0] == {"file": "charts/ui/values.yaml", "path": "image.tag", "old": "1.0", "new": "v2"}
    assert "-  tag: '1.0'\n+  tag: 'v2'\n" in found["diff"]
    assert content(root) == ((UI, CART) if check else EDITED)


def test_where_nothing_changes_it_ends_in_three_for_who_asked(root: Path) -> None:
    words = ["edit", "--file", "charts/ui/values.yaml", "--set", "image.tag=1.0"]
    before = (root / "charts/ui/values.yaml").stat()
    done = argosy(*words, "--exit-code", cwd=root)
    assert (done.returncode, done.stdout, done.stderr) == (3, "", "")
    assert argosy(*words, cwd=root).returncode == 0
    assert argosy(*words, "--check", "--exit-code", cwd=root).returncode == 3
    found = spoken(argosy(*words, "--json", cwd=root))
    assert found == {"changed": False, "written": [], "changes": [], "diff": ""}
    after = (root / "charts/ui/values.yaml").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--set", "image.pull=x"], "charts/the cart/values.yaml:1: image.pull is not there"),
        (["--set", "image=x"], "charts/the cart/values.yaml:1: image is no scalar"),
        (["--set", "image.tag=x", "--file", "broken.yaml", "--set", "a=b"], "broken.yaml:2:1: malformed YAML"),
        (["--set", "image.tag=x", "--document", "2"], "has no document 2"),
    ],
)
def test_an_edit_that_cannot_be_made_leaves_every_file_as_it_was(root: Path, words: list[str], said: str) -> None:
    write(root / "broken.yaml", "a: [\n")
    ui = ["--file", "charts/ui/values.yaml", "--set", "image.tag=v2"]
    done = argosy("edit", *ui, "--file", "charts/the cart/values.yaml", *words, cwd=root)
    assert (done.returncode, done.stdout) == (1, "")
    assert said in done.stderr
    assert "do: " in done.stderr
    assert content(root) == (UI, CART)


@pytest.mark.parametrize(
    "file",
    [
        "../outside.yaml", "link.yaml", "folder/values.yaml", "folder/../outside.yaml", "loop.yaml", "charts",
        "none.yaml",
    ],
)  # fmt: skip
def test_what_is_no_file_of_the_repository_is_not_touched(root: Path, file: str) -> None:
    write(root.parent / "outside.yaml", "a: b\n")
    write(root.parent / "elsewhere/values.yaml", "a: b\n")
    (root / "link.yaml").symlink_to(root.parent / "outside.yaml")
    (root / "folder").symlink_to(root.parent / "elsewhere")
    (root / "loop.yaml").symlink_to("loop.yaml")
    done = argosy("edit", "--file", file, "--set", "a=c", cwd=root)
    assert (done.returncode, done.stdout) == (2, "")
    assert "do: " in done.stderr
    assert (root.parent / "outside.yaml").read_text() == "a: b\n"
    assert (root.parent / "elsewhere/values.yaml").read_text() == "a: b\n"
    assert (root / "link.yaml").is_symlink()


def test_a_link_within_the_repository_is_not_written_through(root: Path) -> None:
    (root / "same.yaml").symlink_to("charts/ui/values.yaml")
    done = argosy("edit", "--file", "same.yaml", "--set", "image.tag=v2", cwd=root)
    assert done.returncode == 2
    assert "same.yaml is a symbolic link" in done.stderr
    assert content(root) == (UI, CART)


def test_a_folder_of_the_repository_reaches_the_files_beside_it(root: Path) -> None:
    done = argosy("edit", "--file", "../the cart/values.yaml", "--set", "image.tag=v2", cwd=root / "charts/ui")
    assert (done.returncode, done.stderr) == (0, "")
    assert content(root) == (UI, CART.replace("old", "v2"))
    done = argosy("edit", "--repo", str(root), "--file", "charts/ui/values.yaml", "--set", "image.tag=v2", cwd=ROOT)
    assert content(root)[0] == UI.replace("1.0", "v2")


def test_documents_of_one_file_are_edited_each_by_its_number(root: Path) -> None:
    write(root / "two.yaml", "a: 1\n---\na: 2\n")
    both = ["--file", "two.yaml", "--document", "1", "--set", "a=x", "--file", "two.yaml", "--set", "a=z"]
    done = argosy("edit", *both, "--document", "2", cwd=root)
    assert (done.returncode, done.stderr) == (0, "")
    assert (root / "two.yaml").read_text() == "a: x\n---\na: z\n"
    done = argosy("edit", "--file", "two.yaml", "--set", "a=y", cwd=root)
    assert "two.yaml: a is in the documents 1, 2" in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        [], ["--set", "a=b"], ["--file", "x.yaml"], ["--file", "x.yaml", "--set", "a"], ["--document", "1"],
        ["--file", "x.yaml", "--set", "a..b=c"], ["--file", "x.yaml", "--document", "0", "--set", "a=b"],
        ["--file", "x.yaml", "--set", "a=b", "--set", "a=c"], ["--file", "x.yaml", "--set", "a[name=x]"],
    ],
)  # fmt: skip
def test_wrong_use_ends_in_two_before_anything_is_read(root: Path, words: list[str]) -> None:
    done = argosy("edit", *words, cwd=root)
    assert (done.returncode, done.stdout) == (2, "")
    assert "cannot be read" not in done.stderr


def test_nothing_that_others_wrote_reaches_a_terminal_as_it_is(root: Path) -> None:
    write(root / "hostile.yaml", 'a: "\\e[2Jold"\n')
    done = argosy("edit", "--file", "hostile.yaml", "--set", "a=new", cwd=root)
    assert done.stdout == "hostile.yaml: a: \\x1b[2Jold -> new\n"
