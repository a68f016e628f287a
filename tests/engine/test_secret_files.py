"""Secrets that programs read from files: readable by them, and nowhere afterwards."""

import base64
import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr

from argosy.registry import RegistryCredentials
from argosy.secret_files import docker_config, secret_file

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
from argosy.registry import RegistryCredentials
from argosy.secret_files import docker_config
user = RegistryCredentials("AWS", SecretStr("{PASSWORD}"))
with docker_config(Path({str(tmp_path)!r}), {{"localhost:5000": user}}) as config:
    assert b"auth" in (config / "config.json").read_bytes()
    os.kill(os.getpid(), signal.SIGKILL)
"""
    killed = subprocess.run([sys.executable, "-c", script], env={**os.environ, "TMPDIR": str(tmp_path)}, check=False)
    assert killed.returncode == -signal.SIGKILL
    left = [file for file in tmp_path.rglob("*") if file.is_symlink() or file.is_file()]
    assert [file.name for file in left] == ["config.json"]
    assert not left[0].exists()


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
