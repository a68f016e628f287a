"""What the doctor says of build contexts is what a run would do: it refuses nothing that a run takes."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from argosy.doctor import checkout, inputs
from argosy.doctor.findings import Finding, Level
from argosy.doctor.tracked import Checkout
from argosy.errors import Terminal
from argosy.inputs.build_context import export
from argosy.inputs.snapshot import Snapshot
from tests.engine.shop import Shop, run


def faults(shop: Shop) -> list[Finding]:
    found = inputs.check(Checkout.read(shop.path), (shop.environment("dev"), shop.environment("prod")))
    return [finding for finding in found if finding.level is not Level.GOOD]


def built(shop: Shop) -> list[str]:
    """The files of ui's context, as a run exports them."""
    environment, stream = shop.environment("dev"), io.BytesIO()
    export(shop.git, Snapshot(shop.git, shop.head, environment.written).inputs(environment.service("ui")), stream)
    stream.seek(0)
    with tarfile.open(fileobj=stream) as archive:
        return archive.getnames()


def link(shop: Shop, path: str, target: str) -> None:
    (shop.path / path).symlink_to(target)
    shop.commit("Link", {})


@pytest.mark.parametrize("target", ["../../../../etc/passwd", "/etc/passwd", "../cart/main.txt"])
def test_a_link_that_leads_out_of_its_context_is_warned_of_as_a_run_takes_it(shop: Shop, target: str) -> None:
    link(shop, "src/ui/out", target)
    (finding,) = faults(shop)
    assert (finding.level, finding.where) == (Level.WARNING, "src/ui/out")
    assert "leave it out with .dockerignore" in finding.remedy
    assert "out" in built(shop)


def test_a_link_that_stays_inside_is_nothing(shop: Shop) -> None:
    link(shop, "src/ui/in", "main.txt")
    assert faults(shop) == []


@pytest.mark.parametrize("ignore", ["src/ui/.dockerignore", "src/ui/Dockerfile.dockerignore"])
def test_what_dockerignore_leaves_out_is_nothing(shop: Shop, ignore: str) -> None:
    link(shop, "src/ui/out", "/etc/passwd")
    shop.commit("Leave it out", {ignore: "out\n"})
    assert faults(shop) == []
    assert "out" not in built(shop)


def test_a_context_at_the_root_is_looked_at_too(shop: Shop) -> None:
    text = (shop.path / "argosy.yaml").read_text().replace("  ui: {}", "  ui: {build: {context: .}}")
    shop.commit("Build from the root", {"argosy.yaml": text})
    link(shop, "out", "/etc/passwd")
    assert [(finding.level, finding.where) for finding in faults(shop)] == [(Level.WARNING, "out")]


def test_a_link_in_a_named_context_is_looked_at_too(shop: Shop) -> None:
    text = (shop.path / "argosy.yaml").read_text().replace("  ui: {}", "  ui: {build: {contexts: {libs: libs}}}")
    shop.commit("Share", {"argosy.yaml": text, "libs/a": "a\n"})
    link(shop, "libs/out", "/etc/passwd")
    assert [(finding.level, finding.where) for finding in faults(shop)] == [(Level.WARNING, "libs/out")]


@pytest.mark.parametrize(("ignore", "said"), [("[", ".dockerignore:1"), ("!", ".dockerignore:1")])
def test_what_a_run_refuses_in_a_context_is_wrong(shop: Shop, ignore: str, said: str) -> None:
    shop.commit("Ignore", {"src/ui/.dockerignore": f"{ignore}\n"})
    (finding,) = faults(shop)
    assert (finding.level, said in finding.why) == (Level.WRONG, True)
    with pytest.raises(Terminal):
        built(shop)


def test_a_submodule_is_wrong_as_a_run_refuses_it(shop: Shop) -> None:
    shop.run("update-index", "--add", "--cacheinfo", f"160000,{shop.head},src/ui/vendor")
    shop.run("commit", "-q", "-m", "Vendor")
    (finding,) = faults(shop)
    assert (finding.level, finding.where) == (Level.WRONG, "src/ui/vendor")
    assert "leave it out with .dockerignore" in finding.remedy
    with pytest.raises(Terminal, match="is a submodule"):
        built(shop)


def test_before_the_first_commit_there_is_no_context_to_look_at(tmp_path: Path, shop: Shop) -> None:
    new = tmp_path / "new"
    run("init", "-q", str(new))
    (new / "Dockerfile").touch()
    run("-C", str(new), "add", "-A")
    (finding,) = checkout.check(new)
    assert (finding.why, finding.remedy[:6]) == ("holds no commit yet", "commit")
    assert all(each.level is Level.WRONG for each in inputs.check(Checkout.read(new), (shop.environment(),)))
