"""A mirror with a damaged or lost object: it is a cache, thrown away and made anew, once and by itself."""

from __future__ import annotations

import io
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import SecretStr

from argosy.errors import Terminal
from argosy.git import GitError
from argosy.gitops.mirror import Discarded, Mirror
from argosy.gitops.remote import Remote
from argosy.inputs.build_context import export
from argosy.inputs.snapshot import Snapshot
from deployments.local.git_server import BOT, GitServer
from tests.engine.shop import Shop, run
from tests.engine.target import Target


@pytest.fixture
def mirror(shop: Shop, tmp_path: Path) -> Mirror:
    mirror = Mirror(tmp_path / "home", Remote(str(shop.origin)))
    mirror.update()
    return mirror


def loose(mirror: Mirror, name: str) -> Path:
    """The file of an object, which is unpacked for it."""
    for pack in list((mirror.path / "objects/pack").glob("*.pack")):
        data = pack.read_bytes()
        for file in pack.parent.iterdir():
            file.unlink()
        mirror.git.run("unpack-objects", "-q", data=data)
    sha = mirror.git.text("rev-parse", name)
    return mirror.path / "objects" / sha[:2] / sha[2:]


def cut(file: Path) -> None:
    file.chmod(0o644)
    file.write_bytes(file.read_bytes()[:-6])


def empty(file: Path) -> None:
    file.chmod(0o644)
    file.write_bytes(b"")


@pytest.mark.parametrize("damage", [cut, empty, Path.unlink])
@pytest.mark.parametrize("name", ["main", "main^{tree}", "main:src/ui/Dockerfile", "main:src/ui/main.txt"])
def test_a_damaged_mirror_is_thrown_away_and_the_next_attempt_finds_a_whole_one(
    mirror: Mirror, shop: Shop, name: str, damage: Callable[[Path], None]
) -> None:
    damage(loose(mirror, name))
    with pytest.raises(Discarded, match="damaged, and is thrown away"):
        released(mirror, shop)
    assert not mirror.path.exists()
    mirror.update()
    assert b"ui one" in released(mirror, shop)


def released(mirror: Mirror, shop: Shop) -> bytes:
    service = shop.environment().service("ui")
    inputs = Snapshot(mirror.git, shop.head).inputs(service)
    stream = io.BytesIO()
    export(mirror.git, inputs, stream)
    return stream.getvalue()


def test_an_update_heals_by_itself_what_it_meets(mirror: Mirror, shop: Shop) -> None:
    cut(loose(mirror, "main"))
    head = shop.commit("Go on", {"src/ui/main.txt": "ui two\n"})
    mirror.update()
    assert mirror.branch("main") == head
    assert b"ui two" in released(mirror, shop)


@pytest.mark.parametrize("damage", [cut, Path.unlink])
@pytest.mark.parametrize("name", ["main", "main^{tree}", "main:src/ui/chart/values-dev.yaml"])
def test_a_release_upon_a_damaged_mirror_is_written_by_its_next_attempt(
    target: Target, name: str, damage: Callable[[Path], None]
) -> None:
    source, release = target.shop.head, target.release()
    damage(loose(target.mirror, name))
    try:
        written = target.writer.write_back(source, [release])
    except Discarded:
        written = target.writer.write_back(source, [release])
    assert (written.released, len(target.log())) == (("ui",), 2)


def test_what_another_run_throws_away_under_us_is_no_error_of_ours(mirror: Mirror, shop: Shop) -> None:
    mirror.path.rename(mirror.path.with_suffix(".gone"))
    with pytest.raises(Discarded):
        mirror.git.tree(shop.head)
    mirror.update()
    assert mirror.git.tree(shop.head)


@pytest.mark.parametrize("over", ["file", "http"])
def test_an_origin_that_is_damaged_itself_is_no_matter_of_the_mirror(
    shop: Shop, tmp_path: Path, git_server: tuple[GitServer, SecretStr], over: str
) -> None:
    server, password = git_server
    name = f"damaged-{uuid.uuid4().hex[:8]}"
    remote = Remote(server.create(name, protected=()), BOT, password)
    run("-C", str(shop.path), "push", "-q", str(server.path(name)), "main")
    sha = shop.run("rev-parse", "main:src/ui/main.txt")
    cut(server.path(name) / "objects" / sha[:2] / sha[2:])
    mirror = Mirror(tmp_path / "home", remote if over == "http" else Remote(server.path(name).as_uri()))
    if over == "file":  # all comes with the fetch; else this file comes when it is read
        run("-C", str(server.path(name)), "config", "uploadpack.allowFilter", "false")

    def read() -> None:
        mirror.update()
        mirror.git.file("main", "src/ui/main.txt")

    with pytest.raises(Terminal, match=r"is damaged: .*on the remote side") as caught:
        read()
    assert "mend that repository on its server" in (caught.value.remedy or "")
    assert list((tmp_path / "home/mirrors").glob("*.damaged")) == []


def test_a_users_own_repository_is_never_thrown_away(shop: Shop) -> None:
    sha = shop.run("rev-parse", "main:src/ui/Dockerfile")
    cut(shop.path / ".git/objects" / sha[:2] / sha[2:])
    with pytest.raises(GitError, match="git fsck"):
        Snapshot(shop.git, shop.head).inputs(shop.environment().service("ui"))
    assert (shop.path / ".git/HEAD").exists()
