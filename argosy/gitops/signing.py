"""Signing commits, and verifying them: by the key that is to sign, and by what git's exit status says of it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Literal, Self

from pydantic import SecretStr

from argosy.errors import Terminal
from argosy.git import Git, GitError, environment
from argosy.gitops.gnupg import PASTE, keyring
from argosy.processes.secret_files import private_file, secret_file

_PASTE = "put an SSH private key in OpenSSH's format, without a passphrase, into the block's signing_key"
_SECONDS = 60.0
# What git's words about a signature mean. They explain a refusal and never decide: an unknown signer is "Good" there.
_WORDS = {
    "B": "its signature does not fit it",
    "E": "it is signed with another key",
    "R": "its key was revoked",
    "U": "it is signed with another key",
    "X": "its signature has expired",
    "Y": "its key has expired",
}


class Unverified(Terminal):
    """A commit that is to be signed is not, or by nobody whom we know."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key that signs commits: of SSH, in OpenSSH's format and without a passphrase, or armoured of GPG."""

    private: SecretStr
    kind: Literal["ssh", "gpg"] = "ssh"
    passphrase: SecretStr | None = None


@dataclass(frozen=True, slots=True)
class Signer:
    """What git wants to sign with one key, and to verify that it was this one: its settings and its environment."""

    settings: tuple[str, ...]
    remedy: str
    environment: Mapping[str, str] = field(default_factory=dict)


class Signing:
    """Signs and verifies with `key` for as long as the block lasts; it is got ready when it is needed first.

    Without a key nothing is signed, and nothing is verified.
    """

    def __init__(self, key: SigningKey | None) -> None:
        self._key = key
        self._opened = ExitStack()
        self._signer: Signer | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._signer = None
        self._opened.close()

    @property
    def on(self) -> bool:
        """Whether commits are signed at all."""
        return self._key is not None

    def prepare(self) -> None:
        """Get the key ready, which else is done when it is needed first. Raises Terminal where it does not sign."""
        self._ready()

    def commit_tree(self, git: Git, *arguments: str, message: bytes, who: Mapping[str, str]) -> str:
        """What `git commit-tree ARGUMENTS` makes, signed where commits are signed, and then verified.

        Raises Terminal where the key does not sign, Unverified where what it signed does not hold.
        """
        signer = self._ready()
        if signer is None:
            return git.text("commit-tree", *arguments, data=message, extra=who)
        extra = {**who, **signer.environment}
        try:
            made = git.text(*signer.settings, "commit-tree", "-S", *arguments, data=message, extra=extra)
        except GitError as error:
            raise _unusable(error.stderr, signer.remedy) from error
        self.verify(git, made)
        return made

    def verify(self, git: Git, commit: str) -> None:
        """See that `commit` is signed with the key, where commits are signed.

        Raises Unverified where it is not signed, or with another key, or the signature does not hold (any more).
        """
        signer = self._ready()
        if signer is None or git.ok(*signer.settings, "verify-commit", commit, extra=signer.environment):
            return
        raise Unverified(
            f"commit {commit[:12]} of ours cannot be accepted: {_why(git, signer, commit)}",
            remedy="see who made it, and whether the block's signing_key was changed or has expired meanwhile",
        )

    def _ready(self) -> Signer | None:
        if self._signer is None and self._key is not None:
            self._signer = self._opened.enter_context(_signer(self._key))
        return self._signer


def _why(git: Git, signer: Signer, commit: str) -> str:
    header, _, _ = git.run("cat-file", "commit", commit).partition(b"\n\n")
    if b"\ngpgsig" not in header:
        return "it is not signed"
    letter = git.text(*signer.settings, "log", "-1", "--format=%G?", commit, extra=signer.environment)
    return _WORDS.get(letter, "its signature cannot be verified")


def _unusable(said: str, remedy: str) -> Terminal:
    return Terminal(f"the release commit could not be signed: {said.strip()}", remedy=remedy)


def _signer(key: SigningKey) -> AbstractContextManager[Signer]:
    return _gpg(key.private, key.passphrase) if key.kind == "gpg" else _ssh(key.private)


@contextmanager
def _gpg(private: SecretStr, passphrase: SecretStr | None) -> Iterator[Signer]:
    with keyring(private, passphrase) as ring:
        settings = ("gpg.format=openpgp", f"user.signingkey={ring.fingerprint}")
        yield Signer(_options(settings), PASTE, {"GNUPGHOME": str(ring.home)})


@contextmanager
def _ssh(private: SecretStr) -> Iterator[Signer]:
    with ExitStack() as opened:
        key = opened.enter_context(secret_file(_whole(private)))
        trusted = f'argosy namespaces="git" {_public(str(key))}'
        allowed = opened.enter_context(private_file(trusted.encode()))
        settings = ("gpg.format=ssh", f"user.signingkey={key}", f"gpg.ssh.allowedSignersFile={allowed}")
        yield Signer(_options(settings), _PASTE)


def _options(settings: Iterable[str]) -> tuple[str, ...]:
    return tuple(word for setting in settings for word in ("-c", setting))


def _whole(key: SecretStr) -> SecretStr:
    # ssh-keygen refuses a key without its last line end, which is lost where keys are pasted.
    lines = key.get_secret_value().strip().splitlines()
    return SecretStr("".join(f"{line.rstrip()}\n" for line in lines))


def _public(key: str) -> str:
    """The public half of the key in that file. Raises Terminal where it is none, or wants a passphrase."""
    command = ["ssh-keygen", "-y", "-P", "", "-f", key]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, env=environment(), timeout=_SECONDS, check=False
        )
    except FileNotFoundError as error:
        raise Terminal(
            "there is no ssh-keygen, which signs release commits", remedy="install the OpenSSH client"
        ) from error
    if done.returncode:
        raise _unusable(done.stderr.decode(errors="replace"), _PASTE)
    return done.stdout.decode().strip() + "\n"
