"""Commits signed with a GPG key: its keyring is in memory, asks nobody, and leaves neither a file nor an agent."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pydantic import SecretStr

from argosy.errors import Terminal
from argosy.git import environment
from argosy.gitops.commits import Draft, Identity, commit
from argosy.gitops.gnupg import keyring
from argosy.gitops.signing import Signing, SigningKey, Unverified
from tests import processes
from tests.engine.shop import Shop
from tests.engine.target import NOW, Target

EMAIL = "argosy@example.com"
PASSPHRASE = "open sesame"
MEMORY = Path("/dev/shm")  # noqa: S108 - to see that a private folder is made there

pytestmark = pytest.mark.skipif(shutil.which("gpg") is None, reason="GnuPG is not installed here")


def generated(passphrase: str = "", *options: str, expires: str = "never") -> str:
    """A new private key, armoured, made in a keyring that is gone by then."""
    with keyring_of_nobody() as gpg:
        secret = ("--pinentry-mode", "loopback", "--passphrase", passphrase)
        gpg(*options, *secret, "--quick-generate-key", f"Argosy <{EMAIL}>", "ed25519", "sign", expires)
        return gpg(*secret, "--armor", "--export-secret-keys").decode()


@contextmanager
def keyring_of_nobody() -> Iterator[Callable[..., bytes]]:
    """A function that runs gpg in a new folder, which goes with its agent."""
    with keyring_folder() as home:

        def gpg(*arguments: str, data: bytes = b"") -> bytes:
            command = ["gpg", "--batch", "--quiet", "--no-tty", *arguments]
            env = environment({"GNUPGHOME": str(home)})
            return subprocess.run(command, input=data, env=env, check=True, capture_output=True).stdout

        yield gpg


@contextmanager
def keyring_folder() -> Iterator[Path]:
    # Below /tmp itself: the agent's socket has a path of a hundred characters at most.
    home = Path(subprocess.run(["mktemp", "-d"], check=True, capture_output=True, text=True).stdout.strip())
    try:
        yield home
    finally:
        subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "gpg-agent"], check=False)
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="module")
def private() -> str:
    return generated()


@pytest.fixture(scope="module")
def locked() -> str:
    return generated(PASSPHRASE)


def signed(shop: Shop, folder: Path, private: str, passphrase: str | None = None) -> Target:
    key = SigningKey(SecretStr(private), "gpg", SecretStr(passphrase) if passphrase else None)
    return Target(shop, folder / "home", Identity("Argosy", EMAIL, key))


def agents(home: Path) -> list[Path]:
    """The processes whose command line names that folder."""
    return [folder for folder, words in processes.shown("cmdline") if str(home).encode() in words]


def ended(home: Path) -> bool:
    """Whether all of a keyring goes within half a minute."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if not home.exists() and not any(map(processes.runs, agents(home))):
            return True
        time.sleep(0.01)
    return False


@pytest.mark.parametrize("passphrase", [None, PASSPHRASE])
def test_a_commit_signed_with_gpg_verifies_by_the_public_half_alone(
    shop: Shop, tmp_path: Path, private: str, locked: str, passphrase: str | None
) -> None:
    key = locked if passphrase else private
    made = signed(shop, tmp_path, key, passphrase).writer.write_back(
        shop.head, [Target(shop, tmp_path / "other").release()]
    )
    assert made.commit
    with keyring_of_nobody() as gpg, keyring_folder() as home:
        gpg("--import", data=key.encode())
        public = gpg("--export")
        env = environment({"GNUPGHOME": str(home)})
        subprocess.run(["gpg", "--batch", "--quiet", "--import"], input=public, env=env, check=True)
        subprocess.run(["git", "-C", str(shop.origin), "verify-commit", "main"], env=env, check=True)


def test_a_keyring_lies_in_memory_and_leaves_nothing(locked: str) -> None:
    with keyring(SecretStr(locked), SecretStr(PASSPHRASE)) as ring:
        assert agents(ring.home)
        assert ring.home.stat().st_mode & 0o077 == 0
        if os.access(MEMORY, os.W_OK):
            assert ring.home.parent == MEMORY
        texts = [file.read_bytes() for file in ring.home.rglob("*") if file.is_file()]
        assert not any(PASSPHRASE.encode() in text for text in texts)
    assert ended(ring.home)


def test_not_even_sigkill_leaves_a_key_or_an_agent(private: str, tmp_path: Path) -> None:
    script = """
import os, signal, sys
from pydantic import SecretStr
from argosy.gitops.gnupg import keyring
with keyring(SecretStr(sys.stdin.read()), None) as ring:
    print(ring.home, flush=True)
    os.killpg(0, signal.SIGKILL)
"""
    killed = subprocess.run(
        [sys.executable, "-c", script], input=private, stdout=subprocess.PIPE, text=True, check=False,
        start_new_session=True,
    )  # fmt: skip
    assert killed.returncode == -signal.SIGKILL
    assert ended(Path(killed.stdout.strip()))


def test_a_key_that_has_expired_signs_nothing_and_says_when(shop: Shop, tmp_path: Path) -> None:
    expired = generated("", "--faked-system-time", "20200101T000000", expires="2020-02-01")
    target = signed(shop, tmp_path, expired)
    with pytest.raises(Terminal, match=r"expired on 2020-0[12]-\d\d \(extend it") as caught:
        target.writer.write_back(shop.head, [target.release()])
    assert "PRIVATE KEY" not in str(caught.value)
    assert target.log() == ["Open the shop"]


@pytest.mark.parametrize(
    ("key", "passphrase", "why"),
    [
        (lambda private, _: "hush", None, "the signing key is no GPG private key: "),
        (lambda _, locked: locked, None, "could not be signed"),
        (lambda _, locked: locked, "open rice", "could not be signed"),
    ],
)
def test_what_does_not_sign_leaves_nothing_unsigned_and_says_what_to_do(
    shop: Shop,
    tmp_path: Path,
    private: str,
    locked: str,
    key: Callable[[str, str], str],
    passphrase: str | None,
    why: str,
) -> None:
    target = signed(shop, tmp_path, key(private, locked), passphrase)
    with pytest.raises(Terminal, match=why) as caught:
        target.writer.write_back(shop.head, [target.release()])
    assert "signing_passphrase" in (caught.value.remedy or "")
    assert "rice" not in str(caught.value)
    assert target.log() == ["Open the shop"]


def test_a_commit_of_another_gpg_key_is_not_ours(shop: Shop, tmp_path: Path, private: str, locked: str) -> None:
    git, who = Target(shop, tmp_path / "home").mirror.git, Identity("Argosy", EMAIL)
    with Signing(SigningKey(SecretStr(locked), "gpg", SecretStr(PASSPHRASE))) as theirs:
        made = commit(git, Draft(shop.head, {"a": b"1"}, "Ours\n", who, NOW), theirs)
    with (
        Signing(SigningKey(SecretStr(private), "gpg")) as ours,
        pytest.raises(Unverified, match="it is signed with another key"),
    ):
        ours.verify(git, made)


def test_a_machine_without_gpg_says_so(tmp_path: Path, private: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Terminal, match=r"there is no gpg.*install GnuPG"), keyring(SecretStr(private), None):
        pytest.fail("it was made without gpg")
