"""Content digests and the exported build context."""

from __future__ import annotations

import io
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from argosy.content import Snapshot, export, external_images, ignore_rule
from argosy.errors import Terminal
from argosy.models import ContentDigest, Service
from tests.engine.shop import Shop, run


def digest(shop: Shop, service: str = "ui") -> ContentDigest:
    return shop.digests().desired(shop.head)[service]


def exported(shop: Shop, service: Service) -> dict[str, tarfile.TarInfo]:
    stream = io.BytesIO()
    inputs = Snapshot(shop.git, shop.head, shop.environment().written).inputs(service)
    export(shop.git, inputs, stream)
    stream.seek(0)
    with tarfile.open(fileobj=stream) as archive:
        return {member.name: member for member in archive.getmembers()}


def test_a_change_to_a_file_of_the_context_changes_the_digest(shop: Shop) -> None:
    before = digest(shop)
    shop.commit("Edit", {"src/ui/main.txt": "ui two\n"})
    assert digest(shop) != before


def test_a_change_elsewhere_does_not_change_the_digest(shop: Shop) -> None:
    before = digest(shop)
    shop.commit("Edit", {"src/cart/main.txt": "cart two\n", "README.md": "hello\n"})
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


@pytest.mark.parametrize(
    ("rules", "path", "left_out"),
    [
        ("docs", "docs/a/b.md", True),
        ("**/*.tmp", "a/b/c.tmp", True),
        ("*.tmp", "a/c.tmp", False),
        ("# docs\n", "docs/a", False),
        ("docs\n!docs/keep", "docs/keep", False),
        ("/docs/", "docs/a", True),
        (".dockerignore", ".dockerignore", True),
        ("docs", ".dockerignore", False),
    ],
)
def test_dockerignore_rules_are_dockers_own(rules: str, path: str, left_out: bool) -> None:
    assert ignore_rule(rules.encode())(path) is left_out


def test_the_context_holds_the_files_with_normalised_modes_and_one_time(shop: Shop) -> None:
    (shop.path / "src/ui/link").symlink_to("main.txt")
    (shop.path / "src/ui/main.txt").chmod(0o600)
    shop.commit("Link", {})
    members = exported(shop, shop.environment().service("ui"))
    assert sorted(members) == ["Dockerfile", "link", "main.txt"]
    assert members["main.txt"].mode == 0o644
    assert (members["link"].issym(), members["link"].linkname) == (True, "main.txt")
    assert len({member.mtime for member in members.values()}) == 1


def test_a_dockerfile_outside_the_context_is_exported_under_a_name_nothing_has(shop: Shop) -> None:
    shop.commit("Move", {"docker/ui": "FROM scratch\n"})
    service = shop.environment().service("ui")
    service = replace(service, build_context=replace(service.build_context, dockerfile="docker/ui"))
    inputs = Snapshot(shop.git, shop.head).inputs(service)
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
    with pytest.raises(Terminal, match="vendor is a submodule"):
        exported(shop, shop.environment().service("ui"))


def test_a_missing_dockerfile_is_named_with_its_service(shop: Shop) -> None:
    shop.commit("Drop", {"src/ui/Dockerfile": None})
    with pytest.raises(Terminal, match="ui: src/ui/Dockerfile is not in commit"):
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


def test_every_external_image_is_found_as_written() -> None:
    dockerfile = b"""# syntax=docker/dockerfile:1
ARG BASE=alpine:3
FROM --platform=linux/amd64 golang:1.23@sha256:00 AS build
RUN --mount=type=bind,from=tools:2,target=/t make
FROM build AS test
COPY --from=busybox:1 /bin/sh /
COPY --from=0 /a /b
FROM scratch
FROM ${BASE}
COPY --from=build /a /b
"""
    assert external_images(dockerfile) == (
        "${BASE}",
        "busybox:1",
        "docker/dockerfile:1",
        "golang:1.23@sha256:00",
        "tools:2",
    )


def test_the_digest_is_the_same_in_a_bare_clone(shop: Shop, tmp_path: Path) -> None:
    run("clone", "-q", "--bare", str(shop.origin), str(tmp_path / "bare.git"))
    bare = Shop.__new__(Shop)
    bare.path, bare.origin, bare.git = tmp_path / "bare.git", shop.origin, type(shop.git)(tmp_path / "bare.git")
    assert digest(bare) == digest(shop)
