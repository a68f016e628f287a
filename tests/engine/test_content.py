"""Content digests and the exported build context."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from argosy.errors import Terminal
from argosy.inputs.build_context import export
from argosy.inputs.snapshot import Snapshot
from argosy.models import ContentDigest, Service
from tests.engine.shop import VALUES, Shop, run

ROOT = Path(__file__).parents[2]


def digest(shop: Shop, service: str = "ui") -> ContentDigest:
    return shop.digests().desired(shop.head)[service]


def exported(shop: Shop, service: Service) -> dict[str, tarfile.TarInfo]:
    stream = io.BytesIO()
    inputs = Snapshot(shop.git, shop.head, shop.environment().written).inputs(service)
    export(shop.git, inputs, stream)
    stream.seek(0)
    with tarfile.open(fileobj=stream) as archive:
        return {member.name: member for member in archive.getmembers() if member.name != "."}


def test_a_change_to_a_file_of_the_context_changes_the_digest(shop: Shop) -> None:
    before = digest(shop)
    shop.commit("Edit", {"src/ui/main.txt": "ui two\n"})
    assert digest(shop) != before


def test_a_change_elsewhere_does_not_change_the_digest(shop: Shop) -> None:
    before = digest(shop)
    elsewhere = ["src/cart/main.txt", "README.md", "src/ui2/main.txt", "src/ui.txt", "src/ui/chart/templates/a.yaml"]
    shop.commit("Edit", dict.fromkeys(elsewhere, "two\n"))
    assert digest(shop) == before


def test_what_a_release_writes_does_not_change_the_digest(shop: Shop) -> None:
    before = digest(shop)
    shop.release("ui", shop.head)
    assert digest(shop) == before


def test_a_context_at_the_root_does_not_release_for_ever(shop: Shop) -> None:
    text = (shop.path / "argosy.yaml").read_text().replace("  ui: {}", '  ui: {build: {context: "."}}')
    shop.commit("Build ui from the root", {"argosy.yaml": text})
    before = digest(shop)
    shop.release("ui", shop.head)
    shop.release("ui", shop.head, "prod")
    shop.release("cart", shop.head)
    shop.commit("Hold", {".argosy/holds.yaml": "[]\n"})
    assert digest(shop) == before
    shop.commit("Edit", {"libs/price.txt": "1\n"})
    assert digest(shop) != before


def test_reverting_a_change_restores_the_digest(shop: Shop) -> None:
    before = digest(shop)
    shop.commit("Edit", {"src/ui/main.txt": "ui two\n"})
    shop.commit("Revert", {"src/ui/main.txt": "ui one\n"})
    assert digest(shop) == before


def test_the_executable_bit_counts(shop: Shop) -> None:
    before = digest(shop)
    shop.run("update-index", "--chmod=+x", "src/ui/main.txt")
    shop.run("commit", "-qm", "Make it run")
    assert digest(shop) != before


@pytest.mark.parametrize("build", ["args: {A: x}", "target: run", "platforms: [linux/arm64]", "labels: {team: shop}"])
def test_each_build_option_counts(shop: Shop, build: str) -> None:
    before = digest(shop)
    text = (shop.path / "argosy.yaml").read_text().replace("  ui: {}", f"  ui: {{build: {{{build}}}}}")
    shop.commit("Configure", {"argosy.yaml": text})
    assert digest(shop) != before


def test_a_file_that_dockerignore_leaves_out_does_not_count(shop: Shop) -> None:
    shop.commit("Ignore", {"src/ui/.dockerignore": "*.md\n!keep.md\n"})
    before = digest(shop)
    shop.commit("Write", {"src/ui/notes.md": "x\n"})
    assert digest(shop) == before
    shop.commit("Write", {"src/ui/keep.md": "x\n"})
    assert digest(shop) != before


def test_the_dockerignore_beside_the_dockerfile_wins(shop: Shop) -> None:
    shop.commit("Ignore", {"src/ui/.dockerignore": "", "src/ui/Dockerfile.dockerignore": "main.txt\n"})
    assert "main.txt" not in exported(shop, shop.environment().service("ui"))


def test_the_context_holds_the_files_with_normalised_modes_and_one_time(shop: Shop) -> None:
    (shop.path / "src/ui/link").symlink_to("main.txt")
    (shop.path / "src/ui/main.txt").chmod(0o600)
    shop.commit("Link", {})
    members = exported(shop, shop.environment().service("ui"))
    assert sorted(members) == ["Dockerfile", "link", "main.txt"]
    assert members["main.txt"].mode == 0o644
    assert (members["link"].issym(), members["link"].linkname) == (True, "main.txt")
    assert {member.mtime for member in members.values()} == {315_532_800}


def test_a_dockerfile_outside_the_context_is_exported_under_a_name_nothing_has(shop: Shop) -> None:
    shop.commit("Move", {"docker/ui": "FROM scratch\n", "src/ui/.argosy.Dockerfile/a": "x\n"})
    service = shop.environment().service("ui")
    service = replace(service, build_context=replace(service.build_context, dockerfile="docker/ui"))
    inputs = Snapshot(shop.git, shop.head).inputs(service)
    assert inputs.dockerfile.path == "..argosy.Dockerfile"
    assert inputs.dockerfile.path in exported(shop, service)
    assert inputs.dockerfile.path not in {file.path for file in inputs.files}


def test_a_lfs_pointer_is_refused_with_the_remedy(shop: Shop) -> None:
    shop.commit("Big", {"src/ui/big.bin": "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n"})
    with pytest.raises(Terminal, match=r"ui: big\.bin is a Git LFS pointer.*\.dockerignore"):
        exported(shop, shop.environment().service("ui"))


def test_a_submodule_is_refused_and_its_bump_changes_the_digest(shop: Shop, tmp_path: Path) -> None:
    other = Shop(tmp_path / "other")
    first, second = other.commit("One", {"a": "1"}), other.commit("Two", {"a": "2"})
    digests = []
    for sha in (first, second):
        shop.run("update-index", "--add", "--cacheinfo", f"160000,{sha},src/ui/vendor")
        shop.run("commit", "-qm", "Bump")
        digests.append(digest(shop))
    assert digests[0] != digests[1]
    with pytest.raises(Terminal, match=r"vendor is a submodule.*leave it out with \.dockerignore"):
        exported(shop, shop.environment().service("ui"))


def test_a_missing_dockerfile_is_named_with_its_service(shop: Shop) -> None:
    shop.commit("Drop", {"src/ui/Dockerfile": None})
    with pytest.raises(Terminal, match=r"ui: src/ui/Dockerfile is not in commit .*\(commit a Dockerfile there"):
        digest(shop)


def test_a_path_that_is_no_utf8_is_hashed_and_exported(shop: Shop) -> None:
    before = digest(shop)
    blob = shop.run("hash-object", "-w", "src/ui/main.txt")
    row = b"100644 " + blob.encode() + b"\tsrc/ui/caf\xe9\0"
    shop.git.run("update-index", "-z", "--index-info", data=row)
    shop.run("commit", "-qm", "Name it oddly")
    assert digest(shop) != before
    assert b"caf\xe9" in {
        name.encode(errors="surrogateescape") for name in exported(shop, shop.environment().service("ui"))
    }


def test_the_digest_is_the_same_in_a_bare_clone(shop: Shop, tmp_path: Path) -> None:
    run("clone", "-q", "--bare", str(shop.origin), str(tmp_path / "bare.git"))
    bare = Shop.__new__(Shop)
    bare.path, bare.origin, bare.git = tmp_path / "bare.git", shop.origin, type(shop.git)(tmp_path / "bare.git")
    assert digest(bare) == digest(shop)


def configured(shop: Shop, service: str) -> None:
    text = (shop.path / "argosy.yaml").read_text().replace("  ui: {}", f"  ui: {service}")
    shop.commit("Configure", {"argosy.yaml": text})


@pytest.mark.parametrize("chart", ["{chart: src/ui}", "{chart: src, build: {context: src/ui}}"])
def test_a_chart_that_holds_the_context_hides_none_of_it(shop: Shop, chart: str) -> None:
    values = {f"{folder}/values{suffix}.yaml": VALUES for folder in ("src/ui", "src") for suffix in ("", "-dev")}
    shop.commit("Move the values", values)
    configured(shop, chart)
    before = digest(shop)
    shop.commit("Edit", {"src/ui/main.txt": "ui two\n"})
    assert digest(shop) != before
    after = digest(shop)
    shop.commit("Release", {name: VALUES.replace("1.0", "2.0") for name in values})
    assert (digest(shop) == after) is ("context" not in chart)


@pytest.mark.parametrize("path", ["./src/ui", "src//ui/", "src/./ui"])
def test_a_path_means_the_same_however_it_is_written(shop: Shop, path: str) -> None:
    before = digest(shop)
    configured(shop, f'{{path: "{path}"}}')
    assert digest(shop) == before
    shop.release("ui", shop.head)
    assert digest(shop) == before


def test_a_service_at_the_root_of_the_repository_is_found(shop: Shop) -> None:
    shop.commit(
        "Add", {"Dockerfile": "FROM scratch\nCOPY . /\n", "chart/values.yaml": VALUES, "chart/values-dev.yaml": VALUES}
    )
    configured(shop, "{path: .}")
    assert {"Dockerfile", "src/ui/main.txt"} <= set(exported(shop, shop.environment().service("ui")))


@pytest.mark.parametrize("context", ["nowhere", "src/ui/main.txt"])
def test_a_context_that_is_no_folder_is_refused(shop: Shop, context: str) -> None:
    configured(shop, f"{{build: {{context: {context}}}}}")
    with pytest.raises(Terminal, match=rf"ui: the build context {context} holds no files.*build\.context"):
        digest(shop)


@pytest.mark.parametrize("name", ["Dockerfile", ".dockerignore"])
def test_a_link_in_place_of_a_dockerfile_is_refused(shop: Shop, name: str) -> None:
    (shop.path / "src/ui" / name).unlink(missing_ok=True)
    (shop.path / "src/ui" / name).symlink_to("main.txt")
    shop.commit("Link", {})
    with pytest.raises(Terminal, match=f"{name} is no regular file"):
        digest(shop)


def test_an_archive_is_known_by_its_first_two_blocks(shop: Shop) -> None:
    shop.commit("Name it long", {f"src/ui/\u00e4{'a' * 120}": "x\n"})
    stream = io.BytesIO()
    export(shop.git, Snapshot(shop.git, shop.head).inputs(shop.environment().service("ui")), stream)
    with tarfile.open(fileobj=io.BytesIO(stream.getvalue()[:1024])) as archive:
        assert archive.next() is not None
    assert stream.getvalue()[156:157] == tarfile.DIRTYPE


def test_the_digest_and_the_context_do_not_depend_on_how_a_machine_ends_its_lines(shop: Shop) -> None:
    before, files = digest(shop), exported(shop, shop.environment().service("ui"))
    shop.run("config", "core.autocrlf", "true")
    shop.run("config", "core.eol", "crlf")
    (shop.path / ".git/info/attributes").write_text("* text eol=crlf\n")
    for name in ("src/ui/main.txt", "src/ui/Dockerfile"):
        (shop.path / name).unlink()
    shop.run("checkout", "-q", "--", ".")
    assert b"\r\n" in (shop.path / "src/ui/main.txt").read_bytes()
    assert digest(shop) == before
    assert exported(shop, shop.environment().service("ui")).keys() == files.keys()
    assert exported(shop, shop.environment().service("ui"))["main.txt"].size == files["main.txt"].size


def test_the_digest_and_the_context_do_not_depend_on_the_locale(shop: Shop, tmp_path: Path) -> None:
    shop.commit("Name it", {"src/ui/caf\u00e9": "x\n"})
    program = """
import hashlib, io, pathlib, sys
from argosy.inputs.build_context import export
from argosy.inputs.snapshot import Snapshot
from argosy.inputs.digests import environment_at
from argosy.git import Git
git, stream = Git(pathlib.Path(sys.argv[1])), io.BytesIO()
inputs = Snapshot(git, sys.argv[2]).inputs(environment_at(git, sys.argv[2], "dev").service("ui"))
export(git, inputs, stream)
print(inputs.digest().hex, hashlib.sha256(stream.getvalue()).hexdigest())
"""
    answers = {
        subprocess.run(
            [sys.executable, "-c", program, str(shop.path), shop.head],
            env={"PATH": os.environ["PATH"], "PYTHONUTF8": utf8, "LC_ALL": "en_US.ISO-8859-1", "PYTHONPATH": str(ROOT)},
            check=True, capture_output=True,
        ).stdout
        for utf8 in "01"
    }  # fmt: skip
    assert len(answers) == 1
