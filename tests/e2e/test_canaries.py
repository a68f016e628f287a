"""What looks for secrets finds them where they are, and is not content with having looked at nothing."""

from __future__ import annotations

import gzip
import os
import secrets
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.deployments.waiting import soon
from tests.e2e.canaries import Canaries, Watch, names


@pytest.fixture
def leaky(tmp_path: Path) -> tuple[Canaries, str]:
    value = f"p+{secrets.token_urlsafe(24)}/&"
    return Canaries({"planted": SecretStr(value)}), value


def test_a_leak_into_a_file_a_layer_or_a_name_would_be_found(leaky: tuple[Canaries, str], tmp_path: Path) -> None:
    canaries, value = leaky
    (tmp_path / "build.log").write_text(f"#7 0.1 {value}\n")
    (tmp_path / "layer").write_bytes(gzip.compress(f"etc/token\0{value}".encode()))
    (tmp_path / "link").symlink_to(f"/nowhere/{value}")
    assert canaries.in_files(tmp_path) == {("planted", name) for name in ("build.log", "layer", "link")}


def test_looking_at_nothing_is_no_proof(leaky: tuple[Canaries, str], tmp_path: Path) -> None:
    canaries, _ = leaky
    with closing(sqlite3.connect(tmp_path / "x.db")) as database:
        database.execute("CREATE TABLE log (message TEXT)")
    subprocess.run(["git", "init", "--quiet", "--bare", str(tmp_path / "r")], check=True)
    (tmp_path / "nothing").mkdir()
    looks: list[Callable[[], object]] = [
        lambda: canaries.in_database(tmp_path / "x.db"),
        lambda: canaries.in_git(tmp_path / "r"),
        lambda: canaries.in_files(tmp_path / "nothing"),
        lambda: canaries.in_files(tmp_path / "nowhere"),
    ]
    for look in looks:
        with pytest.raises(AssertionError):
            look()


def test_a_leak_into_the_database_or_gits_objects_would_be_found(leaky: tuple[Canaries, str], tmp_path: Path) -> None:
    canaries, value = leaky
    with closing(sqlite3.connect(tmp_path / "x.db")) as database:
        database.execute("CREATE TABLE log (message TEXT)")
        database.execute("INSERT INTO log VALUES (?)", (f"Basic {value}",))
        database.commit()
    assert canaries.in_database(tmp_path / "x.db") == {("planted", "log")}
    subprocess.run(["git", "init", "--quiet", "--bare", str(tmp_path / "r")], check=True)
    git = ["git", "-C", str(tmp_path / "r"), "hash-object", "-w", "--stdin"]
    subprocess.run(git, input=value.encode(), check=True, stdout=subprocess.DEVNULL)
    assert names(canaries.in_git(tmp_path / "r")) == {"planted"}
    assert names(canaries.in_files(tmp_path / "r")) == {"planted"}


def test_a_leak_into_arguments_or_environment_would_be_found(leaky: tuple[Canaries, str]) -> None:
    canaries, value = leaky
    with Watch() as watch, ExitStack() as ending:
        for arguments, extra in ((["0", value], {}), (["1"], {"TOKEN": value})):
            env = {"PATH": os.environ["PATH"], **extra}
            process = subprocess.Popen(["sh", "-c", "read line", *arguments], env=env, stdin=subprocess.PIPE)
            ending.callback(process.communicate)
        soon(lambda: {where for _, where, _ in watch.found(canaries)}, {"cmdline", "environ"})
