"""A GPG key in a keyring of its own, in memory, of which nothing is left: no file, and no agent."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import SecretStr

from argosy.errors import Terminal, Transient
from argosy.git import environment
from argosy.processes.secret_files import secret_file

PASTE = (
    "put an armoured GPG private key that can sign (gpg --armor --export-secret-keys KEY) into the block's "
    "signing_key, and its passphrase, if it has one, into signing_passphrase"
)
_MEMORY = Path("/dev/shm")  # noqa: S108 - a private folder is made there
_SECONDS = 60.0
# It reads a pipe that only this process writes to: the kernel closes it however this process ends. gpg leaves an agent
# behind, which nobody's process group has, and keys in its folder.
_GUARD = """
import os, shutil, signal, subprocess, sys, time
for each in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(each, signal.SIG_IGN)
os.read(0, 1)
subprocess.run(["gpgconf", "--homedir", sys.argv[1], "--kill", "gpg-agent"], stderr=subprocess.DEVNULL)
for _ in range(200):  # the agent removes its sockets at the same time
    shutil.rmtree(sys.argv[1], ignore_errors=True)
    if not os.path.exists(sys.argv[1]):
        break
    time.sleep(0.05)
"""


@dataclass(frozen=True, slots=True)
class Keyring:
    """A GNUPGHOME with one private key in it, and the key's fingerprint."""

    home: Path
    fingerprint: str


@contextmanager
def keyring(key: SecretStr, passphrase: SecretStr | None) -> Iterator[Keyring]:
    """A keyring with `key` alone, which gpg uses without asking anybody, for as long as the block lasts.

    It and its agent are gone at the end, and after SIGKILL too. Raises Terminal where there is no gpg, and for a key
    that is none, or has expired, or cannot sign.
    """
    if shutil.which("gpg", path=environment().get("PATH")) is None:
        raise Terminal("there is no gpg, which signs release commits", remedy="install GnuPG 2.2 or newer")
    with _folder() as home, secret_file(passphrase or SecretStr("")) as words:
        (home / "gpg.conf").write_text(f"batch\nno-tty\npinentry-mode loopback\npassphrase-file {words}\n")
        done = _gpg(home, "--import", given=key.get_secret_value().encode())
        listing = _gpg(home, "--list-secret-keys", "--with-colons").stdout.decode(errors="replace")
        yield Keyring(home, _usable(listing, done.stderr.decode(errors="replace")))


def _gpg(home: Path, *arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    env = environment({"GNUPGHOME": str(home)})
    try:
        return subprocess.run(
            ["gpg", *arguments], input=given, capture_output=True, env=env, timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise Transient(
            f"gpg took longer than {_SECONDS:.0f} s to read the signing key", remedy="see how busy the machine is"
        ) from error


def _usable(listing: str, said: str) -> str:
    """The fingerprint of the first key of a listing with colons. Raises Terminal where it cannot sign."""
    rows = [row.split(":") for row in listing.splitlines()]
    key = next((row for row in rows if row[0] == "sec"), None)
    fingerprint = next((row[9] for row in rows if row[0] == "fpr"), None)
    if key is None or fingerprint is None:
        raise Terminal(f"the signing key is no GPG private key: {said.strip() or 'gpg found none'}", remedy=PASTE)
    short = fingerprint[-16:]
    if key[1] == "e":
        expired = datetime.fromtimestamp(int(key[6]), UTC)
        raise Terminal(
            f"the GPG key {short}, which signs release commits, expired on {expired:%Y-%m-%d}",
            remedy="extend it (gpg --quick-set-expire), and put it into the block's signing_key again",
        )
    if key[1] == "r":
        raise Terminal(f"the GPG key {short}, which signs release commits, was revoked", remedy=PASTE)
    if "S" not in key[11]:
        raise Terminal(f"the GPG key {short} cannot sign: its subkeys may have expired", remedy=PASTE)
    return fingerprint


@contextmanager
def _folder() -> Iterator[Path]:
    """A private folder, in memory where the machine has that, and the guard that removes it."""
    memory = str(_MEMORY) if os.access(_MEMORY, os.W_OK | os.X_OK) else None
    folder = Path(tempfile.mkdtemp(prefix="argosy-gnupg-", dir=memory))
    command, quiet = [sys.executable, "-I", "-S", "-c", _GUARD, str(folder)], subprocess.DEVNULL
    # A session of its own: what ends this process, or its whole group, must not end the guard.
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=quiet, stderr=quiet, env=environment(), start_new_session=True
    ):
        yield folder
