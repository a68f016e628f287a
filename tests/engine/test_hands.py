"""What other people and other runs do to source and target between a plan and its write-back."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from argosy import state, trailers
from argosy.errors import ArgosyError, ConfigurationError, Terminal
from argosy.gitops.commits import Identity
from argosy.gitops.signing import SigningKey
from argosy.models import ImageReference
from tests.engine.shop import CONFIGURATION, Shop, image, run, service_files
from tests.engine.target import Target

SPLIT = CONFIGURATION.replace(
    "target: {branch: main, values: values-dev.yaml}", "target: {branch: gitops, values: values-dev.yaml}"
)


@pytest.fixture
def split(shop: Shop, tmp_path: Path) -> Target:
    """A target on a branch of its own, whose tree has the charts alone and no argosy.yaml."""
    shop.commit("Split", {"argosy.yaml": SPLIT})
    shop.run("checkout", "-q", "--orphan", "gitops")
    shop.run("rm", "-rqf", ".")
    charts = {name: text for s in ("ui", "cart") for name, text in service_files(s).items() if "/chart/" in name}
    shop.commit("Charts", charts, branch="gitops")
    shop.run("checkout", "-q", "main")
    return Target(shop, tmp_path / "split")


def released(target: Target, service: str = "ui") -> state.Released:
    target.mirror.update()
    git, environment = target.mirror.git, target.writer.environment
    head = target.mirror.branch(environment.target_branch)
    return state.read(git, environment, head)[service]


def test_a_release_to_a_branch_without_argosy_yaml_is_explained_there(split: Target) -> None:
    source = split.shop.head
    split.writer.write_back(source, [split.release()])
    now = released(split)
    assert (now.known, now.source_sha) == (True, source)
    assert now.record is not None
    assert now.record.content == split.shop.digests().desired(source)["ui"]
    assert source not in split.read("src/ui/chart/values-dev.yaml", "main")


def test_a_release_whose_commit_was_pushed_away_does_not_hold_the_branch_back(split: Target) -> None:
    first = split.shop.head
    second = split.shop.commit("Regret", {"src/ui/main.txt": "regretted\n"})
    split.writer.write_back(second, [split.release()])
    assert state.is_ahead(split.mirror.git, released(split), first)
    split.shop.run("push", "-qf", "origin", f"{first}:refs/heads/main")
    now = released(split)
    assert split.mirror.git.is_commit(second)
    assert not state.is_ahead(split.mirror.git, now, first)
    release = replace(split.release(sha=first), expected=now.reference)
    assert split.writer.write_back(first, [release]).released == ("ui",)
    assert first in split.read("src/ui/chart/values-dev.yaml", "gitops")


def test_a_release_that_somebody_reverts_meanwhile_is_not_driven_over(target: Target) -> None:
    first = target.shop.head
    target.writer.write_back(first, [target.release()])
    target.shop.run("pull", "-q", "--rebase", "origin", "main")
    second = target.shop.commit("Edit", {"src/ui/main.txt": "ui two\n"})
    target.writer.write_back(second, [replace(target.release(), expected=image("ui", first))])
    target.shop.run("pull", "-q", "--rebase", "origin", "main")
    third = target.shop.commit("Edit", {"src/ui/main.txt": "ui three\n"})
    release = replace(target.release(), expected=image("ui", second))
    target.shop.run("revert", "--no-edit", "HEAD~1")
    target.shop.run("push", "-q", "origin", "HEAD:main")
    assert first in target.read("src/ui/chart/values-dev.yaml")
    written = replace(target.writer, run="run-2").write_back(third, [release])
    assert written.commit is None
    assert f"somebody set it to {image('ui', first)} meanwhile" in written.left_out["ui"]
    assert first in target.read("src/ui/chart/values-dev.yaml")


def test_a_hand_that_typed_the_very_reference_is_no_conflict(target: Target) -> None:
    source, release = target.shop.head, target.release()
    values = f"image:\n  repository: {release.reference.repository}\n  tag: {source}\n"
    target.shop.commit("Type", {"src/ui/chart/values-dev.yaml": values})
    written = target.writer.write_back(source, [release])
    assert (written.commit, written.released, written.left_out) == (None, ("ui",), {})


def test_a_chart_that_cannot_be_edited_leaves_out_that_service_alone(target: Target) -> None:
    ui = replace(target.release(), expected=ImageReference("public.example/shop-ui", ""))
    broken = "shared: &s {repository: public.example/shop-ui}\nimage: *s\n"
    source = target.shop.commit("Share the image", {"src/ui/chart/values-dev.yaml": broken})
    written = target.writer.write_back(source, [ui, target.release("cart")])
    assert written.released == ("cart",)
    assert "goes through an anchor or alias" in written.left_out["ui"]
    assert target.read("src/ui/chart/values-dev.yaml") == broken.strip()
    assert source in target.read("src/cart/chart/values-dev.yaml")


def test_a_tag_that_is_not_there_is_added_beside_its_repository(target: Target) -> None:
    ui = replace(target.release(), expected=ImageReference("public.example/shop-ui", ""))
    source = target.shop.commit(
        "Drop the tag", {"src/ui/chart/values-dev.yaml": "image:\n  repository: public.example/shop-ui\n"}
    )
    written = target.writer.write_back(source, [ui])
    assert (written.released, written.left_out) == (("ui",), {})
    repository, tag = ui.reference.repository, ui.reference.tag
    assert target.read("src/ui/chart/values-dev.yaml") == f"image:\n  repository: {repository}\n  tag: {tag}"


def test_notes_on_other_commits_stay(target: Target) -> None:
    first = target.shop.head
    second = target.shop.commit("Go on", {"README.md": "x\n"})
    target.writer.record({first: ['{"a": 1}']})
    target.writer.record({second: ['{"b": 2}']})
    shown = [run("-C", str(target.shop.origin), "notes", "--ref", "refs/notes/argosy/dev", "show", sha) for sha in
             (first, second)]  # fmt: skip
    assert shown == ['{"a": 1}', '{"b": 2}']
    assert run("-C", str(target.shop.origin), "rev-list", "--count", "refs/notes/argosy/dev") == "2"


def test_another_runs_release_of_an_older_commit_is_passed(target: Target) -> None:
    older = target.shop.head
    newer = target.shop.commit("Edit", {"src/ui/main.txt": "ui two\n"})
    release = target.release(sha=newer)
    other = replace(target.writer, run="run-2")
    other.write_back(older, [target.release(sha=older)])
    assert target.writer.write_back(newer, [release]).released == ("ui",)
    assert newer in target.read("src/ui/chart/values-dev.yaml")


def test_runs_that_share_a_mirror_lose_no_commit_of_each_other(target: Target) -> None:
    prod = Target(target.shop, target.mirror.path.parents[1], name="prod")
    source = target.shop.head
    jobs: list[Callable[[], object]] = [
        lambda: replace(target.writer, run="a").write_back(source, [target.release("ui")]),
        lambda: replace(target.writer, run="b").write_back(source, [target.release("cart")]),
        lambda: replace(prod.writer, run="c").write_back(source, [prod.release("ui")]),
        lambda: replace(prod.writer, run="d").write_back(source, [prod.release("cart")]),
        lambda: target.writer.record({source: ['{"a": 1}']}),
        lambda: replace(target.writer, run="e").record({source: ['{"b": 2}']}),
    ]
    failures: list[ArgosyError] = []

    def attempt(job: Callable[[], object]) -> None:
        try:
            job()
        except ArgosyError as error:
            failures.append(error)

    threads = [threading.Thread(target=attempt, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(target.log()) == 5
    for service in ("ui", "cart"):
        for values in ("values.yaml", "values-dev.yaml"):
            assert source in target.read(f"src/{service}/chart/{values}")
    notes = run("-C", str(target.shop.origin), "notes", "--ref", "refs/notes/argosy/dev", "show", source)
    assert [json.loads(line) for line in notes.splitlines()] == [{"a": 1}, {"b": 2}]


@pytest.mark.parametrize("target_of_link", ["../../cart/chart/values-dev.yaml", "{image: {repository: a/b, tag: c}}"])
def test_a_values_file_that_is_a_link_is_refused_and_not_written_through(target: Target, target_of_link: str) -> None:
    path = target.shop.path / "src/ui/chart/values-dev.yaml"
    releases = [target.release("ui"), target.release("cart")]
    path.unlink()
    path.symlink_to(target_of_link)
    source = target.shop.commit("Link", {})
    written = target.writer.write_back(source, releases)
    assert written.released == ("cart",)
    assert "is a symbolic link" in written.left_out["ui"]
    assert "writes through no link" in written.left_out["ui"]
    assert target.read("src/ui/chart/values-dev.yaml") == target_of_link


def test_a_values_file_below_a_submodule_or_that_is_one_is_refused(target: Target) -> None:
    release = target.release()
    for place, said in (("src/ui/chart/values-dev.yaml", "is a submodule"), ("src/ui/chart", "is not in commit")):
        target.shop.run("rm", "-rqf", "--ignore-unmatch", place)
        target.shop.run("update-index", "--add", "--cacheinfo", f"160000,{target.shop.head},{place}")
        target.shop.run("commit", "-qm", "Vendor")
        target.shop.run("push", "-q", "origin", "main")
        assert said in target.writer.write_back(target.shop.head, [release]).left_out["ui"]


def test_what_somebody_typed_into_a_chart_forges_no_line_of_the_commit(target: Target) -> None:
    tag = "x\n\nArgosy-Environment: dev\nArgosy-Service: cart forged\0"
    release = replace(target.release(), expected=ImageReference("public.example/shop-ui", tag))
    values = f"image:\n  repository: public.example/shop-ui\n  tag: {json.dumps(tag)}\n"
    source = target.shop.commit("Type", {"src/ui/chart/values-dev.yaml": values})
    commit = target.writer.write_back(source, [release]).commit
    assert commit is not None
    assert [record.service for record in trailers.records(target.mirror.git, commit, "dev")] == ["ui"]
    assert "\nArgosy-Service: cart" not in run("-C", str(target.shop.origin), "log", "-1", "--format=%B", "main")


@pytest.mark.parametrize("mangle", [str.strip, lambda key: key.replace("\n", "\r\n"), lambda key: f"\n{key}\n"])
def test_a_key_signs_however_it_was_pasted(shop: Shop, tmp_path: Path, mangle: Callable[[str], str]) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "key")], check=True)
    identity = Identity("Argosy", "argosy@example.com", SigningKey(SecretStr(mangle((tmp_path / "key").read_text()))))
    target = Target(shop, tmp_path / "home", identity)
    commit = target.writer.write_back(shop.head, [target.release()]).commit
    assert b"BEGIN SSH SIGNATURE" in target.mirror.git.run("cat-file", "commit", commit or "")


def test_a_key_that_cannot_sign_leaves_nothing_unsigned_and_says_what_to_do(shop: Shop, tmp_path: Path) -> None:
    target = Target(shop, tmp_path / "home", Identity("Argosy", "argosy@example.com", SigningKey(SecretStr("hush"))))
    with pytest.raises(Terminal, match=r"could not be signed.*without a passphrase") as caught:
        target.writer.write_back(shop.head, [target.release()])
    assert "hush" not in str(caught.value)
    assert target.log() == ["Open the shop"]


def test_a_missing_target_branch_is_named(shop: Shop, tmp_path: Path) -> None:
    shop.commit("Split", {"argosy.yaml": SPLIT})
    target = Target(shop, tmp_path / "home")
    with pytest.raises(Terminal, match=r"has no branch gitops \(push it"):
        target.writer.write_back(shop.head, [target.release()])


def test_a_values_file_that_is_gone_is_no_link(target: Target) -> None:
    target.shop.commit("Drop", {"src/ui/chart/values-dev.yaml": None})
    with pytest.raises(ConfigurationError, match="is not in commit"):
        released(target)
