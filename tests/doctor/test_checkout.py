"""What the doctor sees in a repository: real ones, brought into each of the states."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from argosy.doctor import checkout, inputs
from argosy.doctor.findings import Finding, Level
from argosy.doctor.tracked import Checkout
from argosy.environment import Environment
from tests.engine.shop import Shop, run


def faults(shop: Shop) -> list[Finding]:
    return [finding for finding in checkout.check(shop.path) if finding.level is not Level.GOOD]


def environments(shop: Shop) -> tuple[Environment, ...]:
    return shop.environment("dev"), shop.environment("prod")


def file_faults(shop: Shop) -> list[Finding]:
    found = inputs.check(Checkout.read(shop.path), environments(shop))
    return [finding for finding in found if finding.level is not Level.GOOD]


def test_a_repository_that_is_well_has_no_faults(shop: Shop) -> None:
    assert (faults(shop), file_faults(shop)) == ([], [])


def test_what_is_no_repository_is_said_to_be_none(tmp_path: Path) -> None:
    (finding,) = checkout.check(tmp_path)
    assert (finding.level, finding.where) == (Level.WRONG, str(tmp_path))
    assert "not a git repository" in finding.why
    assert "name the folder of a clone" in finding.remedy


def test_a_repository_of_another_user_is_left_to_that_user(shop: Shop) -> None:
    if os.geteuid() != 0:
        pytest.skip("giving a folder to another user takes root")
    for path in (shop.path, shop.path / ".git"):
        os.chown(path, 65534, 65534)
    (finding,) = checkout.check(shop.path)
    assert (finding.level, "dubious ownership" in finding.why) == (Level.WRONG, True)
    assert "run as the user that owns the repository's folder" in finding.remedy


def test_a_folder_below_the_root_names_the_root(shop: Shop) -> None:
    (finding,) = checkout.check(shop.path / "src")
    assert str(shop.path) in finding.remedy


@pytest.mark.parametrize("what", ["rebase", "rebase --apply", "merge", "cherry-pick", "revert", "bisect"])
def test_what_somebody_is_in_the_middle_of_is_named_with_the_way_out(shop: Shop, what: str) -> None:
    base = shop.head
    theirs = shop.commit("Theirs", {"a": "theirs\n"}, branch="theirs")
    shop.run("reset", "-q", "--hard", base)
    shop.commit("Ours", {"a": "ours\n"}, branch="ours")
    begin(shop, what, theirs)
    (finding,) = faults(shop)
    name = what.partition(" ")[0]
    assert (finding.level, f"in the middle of a {name}:" in finding.why) == (Level.WRONG, True)
    assert f"end it first: git {name} --" in finding.remedy or "git bisect reset" in finding.remedy


def begin(shop: Shop, what: str, theirs: str) -> None:
    """Begin it, and stop at the conflict, which git says by its status."""
    steps = {
        "rebase": ("rebase", theirs),
        "rebase --apply": ("rebase", "--apply", theirs),
        "merge": ("merge", "-q", theirs),
        "cherry-pick": ("cherry-pick", theirs),
        "revert": ("revert", "--no-commit", "HEAD"),
        "bisect": ("bisect", "start"),
    }
    try:
        shop.run("-c", "core.editor=true", *steps[what])
    except Exception:  # noqa: BLE001 - the conflict is what was wanted
        assert what != "bisect"


def test_a_shallow_clone_is_warned_of(shop: Shop, tmp_path: Path) -> None:
    run("clone", "-q", "--depth=1", shop.origin.as_uri(), str(tmp_path / "shallow"))
    (finding,) = checkout.check(tmp_path / "shallow")
    assert (finding.level, finding.remedy) == (Level.WARNING, "git fetch --unshallow")


@pytest.mark.parametrize("name", ["HEAD^{tree}", "HEAD:src/ui/main.txt"])
@pytest.mark.parametrize("content", [None, b"", b"no object"])
def test_an_object_that_is_damaged_or_lost_is_found(shop: Shop, name: str, content: bytes | None) -> None:
    sha = shop.run("rev-parse", name)
    file = shop.path / ".git/objects" / sha[:2] / sha[2:]
    file.chmod(0o644)
    file.unlink() if content is None else file.write_bytes(content)
    (finding,) = faults(shop)
    assert finding.level is Level.WRONG
    assert sha in finding.why


def test_a_check_of_the_objects_that_takes_too_long_is_given_up(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkout, "_FSCK_SECONDS", 0.0)
    (finding,) = faults(shop)
    assert (finding.level, "longer than" in finding.why) == (Level.WARNING, True)


@pytest.mark.parametrize(
    ("path", "what"),
    [
        ("src/ui/Dockerfile", "Dockerfile"),
        ("src/ui/chart/Chart.yaml", "chart"),
        ("src/ui/chart/values-dev.yaml", "values file"),
    ],
)
def test_a_service_without_one_of_its_files_is_named(shop: Shop, path: str, what: str) -> None:
    shop.commit("Lose it", {path: None})
    (finding,) = file_faults(shop)
    assert (finding.level, finding.what, finding.where) == (Level.WRONG, what, path)
    assert finding.why.startswith("ui: ")
    assert (
        f"add it, or name the {what} of ui" in finding.remedy or "commit it there, or name the chart" in finding.remedy
    )


def test_a_file_that_is_there_but_not_committed_is_told_apart(shop: Shop) -> None:
    shop.run("rm", "-q", "--cached", "src/ui/Dockerfile")
    (finding,) = file_faults(shop)
    assert "not committed" in finding.why
    assert finding.remedy == "commit it: a release reads commits alone"


def test_a_values_file_without_a_reference_names_the_key(shop: Shop) -> None:
    shop.commit("Lose it", {"src/ui/chart/values.yaml": "replicas: 1\n"})
    (finding,) = file_faults(shop)
    assert "no image.repository" in finding.why


def test_a_values_file_on_another_branch_is_looked_for_there(shop: Shop) -> None:
    text = (shop.path / "argosy.yaml").read_text().replace("target: {branch: main}", "target: {branch: gitops}")
    shop.run("push", "-q", "origin", "HEAD:refs/heads/gitops")
    shop.run("fetch", "-q", "origin")
    shop.commit("Release there", {"argosy.yaml": text, "src/ui/chart/values.yaml": None})
    assert file_faults(shop) == []


@pytest.mark.parametrize("path", ["src/ui/chart/values.yaml", "src/ui/Dockerfile", "src/ui/chart", "src/ui"])
@pytest.mark.parametrize(("target", "said"), [("/etc", "leads out of the repository"), ("cart", "is a symbolic link")])
def test_a_link_where_a_release_reads_or_writes_is_refused(shop: Shop, path: str, target: str, said: str) -> None:
    shop.run("rm", "-r", "-q", path)
    link = shop.path / path
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(target if target == "/etc" else shop.path / "src/cart")
    shop.run("add", "-A")
    found = file_faults(shop)
    assert any(finding.where == path and said in finding.why for finding in found)
    assert all("commit the file or folder itself" in finding.remedy for finding in found)
