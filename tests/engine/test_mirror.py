"""The mirror: a cache that several runs share, that dies at any instant, and that tells nobody its password."""

from __future__ import annotations

import http.server
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from argosy.errors import Terminal, Transient
from argosy.gitops.mirror import Mirror, PushRejected
from argosy.gitops.remote import Remote
from tests.engine.shop import Shop, run

PASSWORD = "open-sesame"


@pytest.fixture
def mirror(shop: Shop, tmp_path: Path) -> Mirror:
    mirror = Mirror(tmp_path / "home", Remote(str(shop.origin)))
    mirror.update()
    return mirror


def aged(path: Path, seconds: float) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    os.utime(path, (time.time() - seconds, time.time() - seconds))
    return path


def follow_on(mirror: Mirror, parent: str) -> str:
    who = {f"GIT_{role}_{key}": "a@b" for role in ("AUTHOR", "COMMITTER") for key in ("NAME", "EMAIL")}
    return mirror.git.text("commit-tree", "-p", parent, f"{parent}^{{tree}}", data=b"Ours\n", extra=who)


def test_a_branch_that_was_set_back_meanwhile_is_not_brought_forward_again(shop: Shop, mirror: Mirror) -> None:
    first, second = shop.head, shop.commit("Regret", {"a": "1"})
    mirror.update()
    run("-C", str(shop.origin), "update-ref", "refs/heads/main", first)
    with pytest.raises(PushRejected):
        mirror.push(follow_on(mirror, second), "refs/heads/main", second)
    assert run("-C", str(shop.origin), "rev-parse", "main") == first


def test_a_branch_that_was_deleted_meanwhile_stays_deleted(shop: Shop, mirror: Mirror) -> None:
    shop.run("push", "-q", "origin", "HEAD:refs/heads/gitops")
    mirror.update()
    run("-C", str(shop.origin), "update-ref", "-d", "refs/heads/gitops")
    with pytest.raises(PushRejected):
        mirror.push(follow_on(mirror, shop.head), "refs/heads/gitops", shop.head)


def test_a_ref_that_somebody_made_first_is_not_overwritten(shop: Shop, mirror: Mirror) -> None:
    mirror.push(shop.head, "refs/notes/argosy/dev", None)
    with pytest.raises(PushRejected):
        mirror.push(follow_on(mirror, shop.head), "refs/notes/argosy/dev", None)


def test_branches_that_come_go_move_back_and_change_into_folders_are_followed(shop: Shop, mirror: Mirror) -> None:
    first = shop.head
    shop.commit("Two", {"a": "2"})
    shop.run("push", "-q", "origin", "HEAD:refs/heads/a")
    mirror.update()
    shop.run("push", "-q", "origin", ":refs/heads/a")
    shop.run("push", "-qf", "origin", "HEAD:refs/heads/a/b", f"{first}:refs/heads/main")
    mirror.update()
    assert (mirror.branch("main"), mirror.branch("a/b")) == (first, shop.head)
    with pytest.raises(Terminal, match=r"has no branch a \(push it"):
        mirror.branch("a")


@pytest.mark.parametrize("name", ["refs/heads/main.lock", "packed-refs.lock"])
def test_a_lock_that_a_killed_fetch_left_is_removed(shop: Shop, mirror: Mirror, name: str) -> None:
    shop.run("push", "-q", "origin", "HEAD:refs/heads/gone")
    mirror.update()
    shop.run("push", "-q", "origin", ":refs/heads/gone")
    tip = shop.commit("Two", {"a": "2"})
    lock, pack = aged(mirror.path / name, 60), aged(mirror.path / "objects/pack/tmp_pack_x", 7200)
    mirror.update()
    assert mirror.branch("main") == tip
    assert not lock.exists()
    assert not pack.exists()


def test_a_lock_that_is_held_is_waited_for_and_is_no_lost_race(shop: Shop, mirror: Mirror) -> None:
    shop.commit("Two", {"a": "2"})
    lock = aged(mirror.path / "refs/heads/main.lock", 0)
    with pytest.raises(Transient, match="another git process writes") as caught:
        mirror.update()
    assert not isinstance(caught.value, PushRejected)
    assert lock.exists()


def test_a_mirror_that_was_half_deleted_is_made_anew(shop: Shop, mirror: Mirror) -> None:
    (mirror.path / "HEAD").unlink()
    mirror.update()
    assert mirror.branch("main") == shop.head


def test_nothing_of_the_callers_environment_shapes_the_mirror(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "template/hooks").mkdir(parents=True)
    hook = tmp_path / "template/hooks/reference-transaction"
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    (tmp_path / "gitconfig").write_text(f"[init]\n\ttemplateDir = {tmp_path / 'template'}\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    monkeypatch.setenv("GIT_TEMPLATE_DIR", str(tmp_path / "template"))
    monkeypatch.setenv("GIT_DEFAULT_HASH", "sha256")
    monkeypatch.setenv("GIT_DIR", str(shop.path / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(shop.path))
    mirror = Mirror(tmp_path / "home", Remote(str(shop.origin)))
    mirror.update()
    assert mirror.branch("main") == shop.head
    assert not (mirror.path / "hooks").exists()
    assert shop.run("config", "core.bare") == "false"


def test_a_sha_256_repository_is_refused_in_words(tmp_path: Path) -> None:
    work, origin = tmp_path / "work", tmp_path / "origin.git"
    run("init", "-q", "--object-format=sha256", "-b", "main", str(work))
    run("-C", str(work), "commit", "-q", "--allow-empty", "-m", "One")
    run("clone", "-q", "--bare", str(work), str(origin))
    with pytest.raises(Terminal, match=r"SHA-256 object ids.*\(release from a SHA-1"):
        Mirror(tmp_path / "home", Remote(str(origin))).update()


def test_an_empty_repository_has_no_branch_to_release(tmp_path: Path) -> None:
    run("init", "-q", "--bare", str(tmp_path / "origin.git"))
    mirror = Mirror(tmp_path / "home", Remote(str(tmp_path / "origin.git")))
    mirror.update()
    with pytest.raises(Terminal, match=r"no default branch \("):
        mirror.default_branch()


def test_the_default_branch_is_followed_without_a_question_of_its_own(shop: Shop, mirror: Mirror) -> None:
    assert mirror.default_branch() == "main"
    shop.run("push", "-q", "origin", "HEAD:refs/heads/trunk", "HEAD:refs/remotes/fork/HEAD")
    run("-C", str(shop.origin), "symbolic-ref", "HEAD", "refs/heads/trunk")
    mirror.update()
    assert mirror.default_branch() == "trunk"
    run("-C", str(shop.origin), "update-ref", "--no-deref", "HEAD", shop.head)
    mirror.update()
    with pytest.raises(Terminal, match=r"no default branch \("):
        mirror.default_branch()


def test_a_branch_is_read_where_git_keeps_it_and_as_it_is_now(shop: Shop, mirror: Mirror) -> None:
    first = shop.head
    shop.run("push", "-q", "origin", f"{first}:refs/heads/kept")
    mirror.update()
    mirror.git.run("pack-refs", "--all")
    assert (mirror.branch("main"), mirror.branch("kept")) == (first, first)
    second = shop.commit("Two", {"a": "2"})
    mirror.follow("refs/heads/main")
    assert (mirror.branch("main"), mirror.branch("kept")) == (second, first)
    mirror.git.run("symbolic-ref", "refs/heads/other", "refs/heads/kept")
    assert (mirror.git.ref("refs/heads/other"), mirror.git.ref("refs/heads")) == (first, None)


def test_a_lock_dies_with_its_process(shop: Shop, mirror: Mirror) -> None:
    program = "import sys, filelock\nfilelock.FileLock(sys.argv[1]).acquire()\nprint(1, flush=True)\nsys.stdin.read()"
    command = [sys.executable, "-c", program, f"{mirror.path}.lock"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        process.send_signal(signal.SIGKILL)
    mirror.update()
    assert mirror.branch("main") == shop.head


class Guarded(http.server.BaseHTTPRequestHandler):
    """Asks for a password, keeps what it is told; with `elsewhere` set it sends the client there first."""

    told: list[str]
    elsewhere: str | None = None

    def do_GET(self) -> None:
        self.told.append(self.headers.get("Authorization", ""))
        self.send_response(301 if self.elsewhere else 401)
        self.send_header("WWW-Authenticate", 'Basic realm="shop"')
        if self.elsewhere:
            self.send_header("Location", self.elsewhere + self.path)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        """Nobody reads it."""


class Host(http.server.ThreadingHTTPServer):
    """A server on a free port with nothing behind it."""

    def __init__(self) -> None:
        self.handler: type[Guarded] = type("Handler", (Guarded,), {"told": []})
        super().__init__(("127.0.0.1", 0), self.handler)

    def remote(self, password: str = PASSWORD) -> Remote:
        return Remote(f"http://127.0.0.1:{self.server_port}/shop.git", "bot", SecretStr(password))

    @property
    def told(self) -> list[str]:
        return [header for header in self.handler.told if header]


@pytest.fixture
def hosts() -> Iterator[list[Host]]:
    hosts = [Host(), Host()]
    threads = [threading.Thread(target=host.serve_forever, args=(0.02,)) for host in hosts]
    for thread in threads:
        thread.start()
    yield hosts
    for host, thread in zip(hosts, threads, strict=True):
        host.shutdown()
        thread.join()
        host.server_close()


def test_the_password_is_told_to_the_server_and_to_no_other(hosts: list[Host], tmp_path: Path) -> None:
    first, second = hosts
    with pytest.raises(Terminal, match=r"refuses the credentials \(renew the token") as caught:
        Mirror(tmp_path / "a", first.remote()).update()
    assert len(first.told) == 1
    assert PASSWORD not in "".join(map(str, (caught.value, caught.value.__cause__, first.remote())))
    first.handler.elsewhere = f"http://127.0.0.1:{second.server_port}"
    with pytest.raises(Terminal):
        Mirror(tmp_path / "b", first.remote()).update()
    assert second.handler.told == [""]


def test_a_password_with_the_line_end_that_it_was_pasted_with_is_sent_without(
    hosts: list[Host], tmp_path: Path
) -> None:
    for password in (PASSWORD, f"{PASSWORD}\r\n"):
        with pytest.raises(Terminal):
            Mirror(tmp_path, hosts[0].remote(password)).update()
    assert len(hosts[0].told) == 2
    assert len(set(hosts[0].told)) == 1
    with pytest.raises(Terminal, match=r"holds a line break \(paste"):
        Mirror(tmp_path, hosts[0].remote("open\nhost=elsewhere")).update()
