"""The git host of the embedded stack, through the git client."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import SecretStr

from deployments.local.git_server import BOT, DEVELOPER, GitServer
from deployments.local.process import environment
from tests.deployments.waiting import soon

_PASSWORDS = {BOT: "bot-password", DEVELOPER: "developer-password", "guest": "guest-password"}
_ASKPASS = '#!/bin/sh\ncase $1 in Username*) echo "$WHO" ;; *) echo "$WHOSE" ;; esac\n'


@dataclass(frozen=True, slots=True)
class Clone:
    """A working copy of somebody's."""

    folder: Path
    env: dict[str, str]

    def git(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = ["git", *arguments]
        return subprocess.run(command, cwd=self.folder, env=self.env, capture_output=True, text=True, check=False)

    def commit(self, name: str, content: bytes = b"text\n") -> str:
        (self.folder / name).write_bytes(content)
        self.git("add", ".").check_returncode()
        self.git("commit", "--quiet", "-m", name).check_returncode()
        return self.git("rev-parse", "HEAD").stdout.strip()

    def push(self, *refspecs: str) -> None:
        done = self.git("push", "--quiet", "origin", *refspecs)
        assert done.returncode == 0, done.stderr

    def refused(self, *refspecs: str) -> str:
        done = self.git("push", "--quiet", "origin", *refspecs)
        assert done.returncode != 0
        return done.stderr


class World:
    """A server, a repository on it with one commit on main, and clones of it."""

    def __init__(self, server: GitServer, name: str, folder: Path) -> None:
        self.server, self.name, self.folder = server, name, folder
        self.url = server.create(name)
        first = self.clone(DEVELOPER, "first")
        first.commit("README")
        first.push("HEAD:main")

    def clone(self, user: str, folder: str, password: str | None = None) -> Clone:
        clone = self.client(user, folder, password)
        done = clone.git("clone", "--quiet", self.url, ".")
        assert done.returncode == 0, done.stderr
        return clone

    def client(self, user: str, folder: str, password: str | None = None) -> Clone:
        askpass = self.folder / "askpass"
        askpass.write_text(_ASKPASS)
        askpass.chmod(0o700)
        (self.folder / folder).mkdir()
        identity = {f"GIT_{role}_{key}": user for role in ("AUTHOR", "COMMITTER") for key in ("NAME", "EMAIL")}
        login = {"GIT_ASKPASS": str(askpass), "WHO": user, "WHOSE": password or _PASSWORDS.get(user, "")}
        return Clone(self.folder / folder, environment(self.folder, GIT_CONFIG_NOSYSTEM="1", **identity, **login))

    def head(self, ref: str) -> str:
        command = ["git", "-C", str(self.server.path(self.name)), "for-each-ref", "--format=%(objectname)", ref]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitServer]:
    users = {user: SecretStr(password) for user, password in _PASSWORDS.items()}
    with GitServer(users, state=tmp_path_factory.mktemp("git")) as server:
        yield server


@pytest.fixture
def world(server: GitServer, tmp_path: Path) -> World:
    return World(server, tmp_path.name, tmp_path)


@pytest.mark.parametrize(("user", "password"), [(BOT, "guess"), ("stranger", "guess")])
def test_nobody_enters_without_their_password(world: World, user: str, password: str) -> None:
    done = world.client(user, "clone", password).git("clone", world.url, ".")
    assert done.returncode != 0
    assert "Authentication failed" in done.stderr


def test_what_was_pushed_is_cloned(world: World) -> None:
    pushed = world.clone(BOT, "bot").git("rev-parse", "HEAD").stdout.strip()
    assert pushed == world.head("refs/heads/main")


def test_a_large_push_arrives_whole_though_its_length_is_not_announced(world: World) -> None:
    bot = world.clone(BOT, "bot")
    bot.git("config", "http.postBuffer", "65536")
    commit = bot.commit("large", os.urandom(5_000_000))
    bot.push("HEAD:main")
    assert world.head("refs/heads/main") == commit
    assert (world.clone(DEVELOPER, "other").folder / "large").stat().st_size == 5_000_000


def test_a_fetch_with_a_compressed_request_is_answered(world: World) -> None:
    behind = world.clone(BOT, "behind")
    for number in range(40):
        behind.commit(f"own-{number}")  # git compresses a long list of what it has
    ahead = world.clone(DEVELOPER, "ahead")
    commit = ahead.commit("news")
    ahead.push("HEAD:main")
    behind.git("fetch", "--quiet").check_returncode()
    assert behind.git("rev-parse", "origin/main").stdout.strip() == commit


def test_a_protected_branch_takes_pushes_of_the_listed_users_alone(world: World) -> None:
    guest = world.clone("guest", "guest")
    before = world.head("refs/heads/main")
    commit = guest.commit("guest")
    told = guest.refused("HEAD:main")
    assert "protected branch update failed for refs/heads/main: guest may not push" in told
    assert world.head("refs/heads/main") == before
    guest.push("HEAD:feature")
    assert world.head("refs/heads/feature") == commit


@pytest.mark.parametrize("user", [BOT, DEVELOPER])
def test_a_protected_branch_is_neither_rewound_nor_deleted(world: World, user: str) -> None:
    clone = world.clone(user, "clone")
    clone.commit("next")
    clone.push("HEAD:main")
    before = world.head("refs/heads/main")
    clone.git("reset", "--quiet", "--hard", "HEAD~1").check_returncode()
    clone.commit("instead")
    assert "cannot force-push" in clone.refused("+HEAD:main")
    assert "cannot delete" in clone.refused(":main")
    assert world.head("refs/heads/main") == before


def test_another_branch_may_be_rewound(world: World) -> None:
    guest = world.clone("guest", "guest")
    guest.commit("one")
    guest.push("HEAD:feature")
    guest.git("reset", "--quiet", "--hard", "HEAD~1").check_returncode()
    commit = guest.commit("two")
    guest.push("+HEAD:feature")
    assert world.head("refs/heads/feature") == commit


def test_one_refused_reference_refuses_the_whole_push(world: World) -> None:
    guest = world.clone("guest", "guest")
    guest.commit("guest")
    guest.refused("HEAD:feature", "HEAD:main")
    assert world.head("refs/heads/feature") == ""


def test_notes_are_written_by_the_bot_alone(world: World) -> None:
    bot, developer = world.clone(BOT, "bot"), world.clone(DEVELOPER, "developer")
    for clone in (bot, developer):
        clone.git("notes", "--ref", "argosy/prod", "add", "-m", "{}").check_returncode()
    assert "developer may not push" in developer.refused("refs/notes/*")
    bot.push("refs/notes/*")
    assert world.head("refs/notes/argosy/prod")


def test_a_push_that_was_held_loses_to_one_that_came_meanwhile(world: World) -> None:
    bot, developer = world.clone(BOT, "bot"), world.clone(DEVELOPER, "developer")
    bot.commit("bot")
    commit = developer.commit("developer")
    with world.server.hold(world.name, BOT):
        command = ["git", "push", "--quiet", "origin", "HEAD:main"]
        late = subprocess.Popen(command, cwd=bot.folder, env=bot.env, stderr=subprocess.PIPE, text=True)
        soon(lambda: world.server.holding(world.name), True)
        developer.push("HEAD:main")
    told = late.communicate(timeout=30)[1]
    assert late.returncode != 0
    assert "rejected" in told
    assert world.head("refs/heads/main") == commit
