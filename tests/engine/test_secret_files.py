"""Secrets that programs read from files: readable by them, and nowhere afterwards."""

import base64
import json
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import chdir, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from argosy.builds import credential_helper
from argosy.errors import Transient
from argosy.processes.secret_files import docker_config, secret_file
from argosy.registries.login import Login, RegistryCredentials

PASSWORD = "correct horse battery staple"


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> tuple[SecretStr, str]:
    """A private key, and its public half."""
    file = tmp_path_factory.mktemp("key") / "key"
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", file)
    private = file.read_text()
    file.unlink()
    return SecretStr(private), file.with_suffix(".pub").read_text()


def run(*command: str | Path, cwd: Path | None = None, stdin: str = "", **environment: str) -> str:
    env = {"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", **environment}
    done = subprocess.run(command, cwd=cwd, env=env, input=stdin, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_another_process_reads_it_as_often_as_it_likes_and_not_afterwards() -> None:
    with secret_file(SecretStr(PASSWORD)) as file:
        assert [run("cat", file), run("cat", file)] == [PASSWORD, PASSWORD]
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert not file.exists()


def test_a_child_process_does_not_inherit_it() -> None:
    with secret_file(b"secret") as file:
        look = ["test", "!", "-e", f"/proc/self/fd/{file.name}"]
        assert subprocess.run(look, close_fds=False, check=False).returncode == 0


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the secret is a file on disk")
def test_a_killed_process_leaves_no_secret(tmp_path: Path) -> None:
    script = f"""
import os, signal
from pathlib import Path
from pydantic import SecretStr
from argosy.registries.login import Login, RegistryCredentials
from argosy.processes.secret_files import docker_config
user = RegistryCredentials("AWS", SecretStr("{PASSWORD}"))
with docker_config(Path({str(tmp_path)!r}), {{"localhost:5000": user, "localhost:1": Login.of(user)}}) as config:
    assert b"auth" in (config / "config.json").read_bytes()
    os.kill(os.getpid(), signal.SIGKILL)
"""
    killed = subprocess.run([sys.executable, "-c", script], env={**os.environ, "TMPDIR": str(tmp_path)}, check=False)
    assert killed.returncode == -signal.SIGKILL
    left = [file for file in tmp_path.rglob("*") if file.is_symlink() or file.is_file()]
    assert {file.name for file in left} == {"config.json", "docker-credential-argosy-0"}
    assert not any(file.exists() for file in left)
    [name] = tmp_path.rglob("socket-*")
    with pytest.raises(ConnectionRefusedError), asking(name):
        pytest.fail("who asks now waits for ever")


def test_ssh_keygen_signs_with_it(tmp_path: Path, key: tuple[SecretStr, str]) -> None:
    private, public = key
    with secret_file(private) as file:
        signature = run("ssh-keygen", "-Y", "sign", "-n", "file", "-f", file, stdin="text")
    (tmp_path / "signature").write_text(signature)
    (tmp_path / "signers").write_text(f"argosy {public}")
    verify = ("ssh-keygen", "-Y", "verify", "-f", tmp_path / "signers", "-I", "argosy", "-n", "file")
    run(*verify, "-s", tmp_path / "signature", stdin="text")


def test_git_signs_a_commit_with_it(tmp_path: Path, key: tuple[SecretStr, str]) -> None:
    private, public = key
    (tmp_path / "signers").write_text(f"argosy@example.com {public}")
    identity = {
        f"GIT_{who}_{what}": "argosy@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }
    run("git", "init", "-q", cwd=tmp_path)
    tree = run("git", "mktree", cwd=tmp_path).strip()
    with secret_file(private) as file:
        settings = ("-c", "gpg.format=ssh", "-c", f"user.signingkey={file}")
        commit = run("git", *settings, "commit-tree", "-S", "-m", "signed", tree, cwd=tmp_path, **identity).strip()
    allowed = f"gpg.ssh.allowedSignersFile={tmp_path / 'signers'}"
    run("git", "-c", "gpg.format=ssh", "-c", allowed, "verify-commit", commit, cwd=tmp_path)


def test_the_docker_configuration_logs_in_and_finds_plugins(tmp_path: Path) -> None:
    user = RegistryCredentials("AWS", SecretStr(PASSWORD))
    with docker_config(tmp_path, {"localhost:5000": user, "docker.io": user}, [tmp_path / "plugins"]) as config:
        document = json.loads(run("cat", config / "config.json"))
        assert stat.S_IMODE(config.stat().st_mode) == 0o700
        on_disk = [file for file in tmp_path.rglob("*") if file.is_file() and not file.is_symlink()]
        assert on_disk == []
    assert set(document["auths"]) == {"localhost:5000", "https://index.docker.io/v1/"}
    assert base64.b64decode(document["auths"]["localhost:5000"]["auth"]).decode() == f"AWS:{PASSWORD}"
    assert document["cliPluginsExtraDirs"] == [str(tmp_path / "plugins")]
    assert list(tmp_path.iterdir()) == []


def helped(config: Path, action: str = "get") -> str:
    """What docker is told when it asks the helper program that the configuration names."""
    [name] = json.loads((config / "config.json").read_text())["credHelpers"].values()
    path = f"{config}{os.pathsep}{os.environ['PATH']}"
    return run(f"docker-credential-{name}", action, stdin="localhost:5000", PATH=path)


@contextmanager
def asking(path: Path) -> Iterator[None]:
    """One who asks at the socket `path`, and does not listen."""
    with chdir(path.parent), socket.socket(socket.AF_UNIX) as asked:
        asked.connect(path.name)
        yield


def test_docker_is_told_the_password_of_the_moment_whenever_it_asks(tmp_path: Path) -> None:
    passwords = iter(["one", "two", "three", "four"])
    login = Login(lambda: RegistryCredentials("AWS", SecretStr(next(passwords))))
    with docker_config(tmp_path, {"localhost:5000": login}) as config:
        for expected in ("one", "one"):
            answer = json.loads(helped(config))
            assert answer == {"ServerURL": "localhost:5000", "Username": "AWS", "Secret": expected}
        held = login.current()
        assert held is not None
        login.other_than(held)
        assert [json.loads(helped(config))["Secret"] for _ in range(3)] == ["two"] * 3
    assert list(tmp_path.iterdir()) == []


def test_each_who_asks_is_served_once(tmp_path: Path) -> None:
    class Counted(Login):
        asked = 0

        def current(self) -> RegistryCredentials | None:
            self.asked += 1
            return super().current()

    login = Counted.of(RegistryCredentials("AWS", SecretStr(PASSWORD)))
    with docker_config(tmp_path, {"localhost:5000": login}) as config:
        for _ in range(5):
            helped(config)
    assert isinstance(login, Counted)
    assert login.asked == 1 + 5


def test_many_may_ask_at_once(tmp_path: Path) -> None:
    login = Login.of(RegistryCredentials("AWS", SecretStr(PASSWORD * 40)))
    with docker_config(tmp_path, {"localhost:5000": login}) as config, ThreadPoolExecutor(16) as askers:
        answers = list(askers.map(lambda _: json.loads(helped(config))["Secret"], range(48)))
    assert answers == [PASSWORD * 40] * 48


def test_one_who_asks_and_does_not_listen_holds_up_nobody(tmp_path: Path) -> None:
    login = Login.of(RegistryCredentials("AWS", SecretStr(PASSWORD)))
    with docker_config(tmp_path, {"localhost:5000": login}) as config, asking(config / "socket-0"):
        assert json.loads(helped(config))["Secret"] == PASSWORD


def test_not_even_an_answer_that_does_not_fit_holds_up_anybody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credential_helper, "_PATIENCE", 0.1)
    login = Login.of(RegistryCredentials("AWS", SecretStr("x" * 4_000_000)))
    with docker_config(tmp_path, {"localhost:5000": login}) as config, asking(config / "socket-0"):
        assert len(json.loads(helped(config))["Secret"]) == 4_000_000


def test_a_folder_with_a_long_and_strange_name_will_do(tmp_path: Path) -> None:
    folder = tmp_path / ("it's a {long} $name " * 10)
    folder.mkdir()
    login = Login.of(RegistryCredentials("AWS", SecretStr(PASSWORD)))
    with docker_config(folder, {"localhost:5000": login}) as config:
        assert json.loads(helped(config))["Secret"] == PASSWORD


@pytest.mark.parametrize("password", [PASSWORD, "quo\"ted \\ back\nslash % $HOME `id` '", "{", "ä" * 40, "x" * 300_000])
def test_every_password_comes_through_as_it_is(tmp_path: Path, password: str) -> None:
    login = Login.of(RegistryCredentials("AWS", SecretStr(password)))
    with docker_config(tmp_path, {"localhost:5000": login}) as config:
        assert json.loads(helped(config))["Secret"] == password


def test_nothing_of_a_login_lies_on_disk(tmp_path: Path) -> None:
    login = Login.of(RegistryCredentials("AWS", SecretStr(PASSWORD)))
    with docker_config(tmp_path, {"localhost:5000": login}) as config:
        helped(config)
        assert [file for file in tmp_path.rglob("*") if file.is_file() and not file.is_symlink()] == []
        assert all(PASSWORD not in file.read_text() for file in config.iterdir() if file.is_symlink())


def test_the_helper_does_nothing_but_tell(tmp_path: Path) -> None:
    login = Login.of(RegistryCredentials("AWS", SecretStr(PASSWORD)))
    with docker_config(tmp_path, {"localhost:5000": login}) as config:
        for action in ("store", "erase", "list"):
            with pytest.raises(AssertionError):
                helped(config, action)
        assert json.loads(helped(config))["Username"] == "AWS"


def test_a_registry_that_is_open_to_all_has_no_helper(tmp_path: Path) -> None:
    with docker_config(tmp_path, {"localhost:5000": Login.of(None)}) as config:
        assert json.loads((config / "config.json").read_text())["credHelpers"] == {}


def test_a_password_that_cannot_be_renewed_is_the_reason_of_what_failed(tmp_path: Path) -> None:
    now = [datetime(2026, 1, 1, tzinfo=UTC)]
    failure: list[Exception] = []

    def ask() -> RegistryCredentials:
        for each in failure:
            raise each
        return RegistryCredentials("AWS", SecretStr(PASSWORD), now[0] + timedelta(hours=12))

    login = Login(ask, lambda: now[0])
    with (  # noqa: PT012 - what the client makes of it is part of it
        pytest.raises(Transient, match="AWS is down"),
        docker_config(tmp_path, {"localhost:5000": login}) as config,
    ):
        helped(config)
        failure.append(Transient("AWS is down"))
        now[0] += timedelta(hours=12)
        helped(config)
    assert list(tmp_path.iterdir()) == []
