"""Signing commits, and verifying them: by the key that is to sign, and by what git's exit status says of it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self

from pydantic import SecretStr

from argosy.errors import Terminal
from argosy.git import Git, GitError, environment
from argosy.gitops.commit_objects import Unsigned, embedded, extracted, object_id
from argosy.gitops.gnupg import PASTE, keyring
from argosy.processes.secret_files import private_file

if TYPE_CHECKING:
    from argosy.gitops.ssh_signatures import SshKey

_NAME = "argosy"
_PASTE = (
    "put an SSH private key (Ed25519, ECDSA or RSA) in OpenSSH's format, without a passphrase, into the block's "
    "signing_key"
)
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
    """What git wants to verify that one key signed: its settings and its environment; with them it signs with GPG.

    `key` is one of SSH, which signs here.
    """

    settings: tuple[str, ...]
    remedy: str
    environment: Mapping[str, str] = field(default_factory=dict)
    key: SshKey | None = None


class Signing:
    """Signs and verifies with `key` for as long as the block lasts; it is got ready when it is needed first.

    Without a key nothing is signed, and nothing is verified.
    """

    def __init__(self, key: SigningKey | None) -> None:
        self._key = key
        self._opened = ExitStack()
        self._signer: Signer | None = None
        self._people: dict[tuple[str, str], str] = {}

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

    def commit(self, git: Git, unsigned: Unsigned) -> str:
        """Write that commit, signed where commits are signed, and then verified; its SHA.

        Raises Terminal where the key does not sign, Unverified where what it signed does not hold.
        """
        signer = self._ready()
        if signer is None:
            return git.text("commit-tree", *unsigned.words, data=unsigned.message, extra=unsigned.who)
        if signer.key is not None:
            return self._written(git, unsigned, signer, signer.key)
        extra = {**unsigned.who, **signer.environment}
        try:
            made = git.text(*signer.settings, "commit-tree", "-S", *unsigned.words, data=unsigned.message, extra=extra)
        except GitError as error:
            raise _unusable(error.stderr, signer.remedy) from error
        self.verify(git, made)
        return made

    def _written(self, git: Git, unsigned: Unsigned, signer: Signer, key: SshKey) -> str:
        """The same in one process, since others push meanwhile: git's own way to sign and to verify takes five."""
        text = unsigned.text(*(self._line(git, role, unsigned.who) for role in ("AUTHOR", "COMMITTER")))
        text = embedded(text, key.sign(text))
        made = git.text("hash-object", "-t", "commit", "-w", "--stdin", data=text)
        # Its name is the digest of what git has: that is looked at, and not what was to be written.
        if made != object_id(text) or not key.verify(*extracted(text)):
            raise _unverified(git, signer, made)
        return made

    def _line(self, git: Git, role: str, who: Mapping[str, str]) -> str:
        """Author or committer as git writes them: it leaves out of a name what it does not want there."""
        name, address, date = (who[f"GIT_{role}_{each}"] for each in ("NAME", "EMAIL", "DATE"))
        if (name, address) not in self._people:
            self._people[name, address] = git.text("var", f"GIT_{role}_IDENT", extra=who).rsplit(" ", 2)[0]
        return f"{self._people[name, address]} {date}"

    def verify(self, git: Git, commit: str) -> None:
        """See that `commit` is signed with the key, where commits are signed.

        Raises Unverified where it is not signed, or with another key, or the signature does not hold (any more).
        """
        signer = self._ready()
        if signer is None or git.ok(*signer.settings, "verify-commit", commit, extra=signer.environment):
            return
        raise _unverified(git, signer, commit)

    def _ready(self) -> Signer | None:
        if self._signer is None and self._key is not None:
            self._signer = self._opened.enter_context(_signer(self._key))
        return self._signer


def _unverified(git: Git, signer: Signer, commit: str) -> Unverified:
    return Unverified(
        f"commit {commit[:12]} of ours cannot be accepted: {_why(git, signer, commit)}",
        remedy="see who made it, and whether the block's signing_key was changed or has expired meanwhile",
    )


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
    # Imported late: it is large, and who signs nothing does not need it.
    from argosy.gitops.ssh_signatures import SshKey, Unusable

    try:
        key = SshKey.load(_whole(private))
    except Unusable as error:
        raise _unusable(str(error), _PASTE) from error
    with private_file(f'{_NAME} namespaces="git" {key.public}\n'.encode()) as allowed:
        _rehearse(key, allowed)
        yield Signer(_options(("gpg.format=ssh", f"gpg.ssh.allowedSignersFile={allowed}")), _PASTE, key=key)


def _options(settings: Iterable[str]) -> tuple[str, ...]:
    return tuple(word for setting in settings for word in ("-c", setting))


def _whole(key: SecretStr) -> SecretStr:
    # What is lost where keys are pasted: the last line end, and blanks.
    lines = key.get_secret_value().strip().splitlines()
    return SecretStr("".join(f"{line.rstrip()}\n" for line in lines))


def _rehearse(key: SshKey, allowed: Path) -> None:
    """See that OpenSSH, by which everybody verifies, takes what `key` signs. Raises Terminal where it does not."""
    data = b"rehearsal\n"
    with private_file(key.sign(data).encode()) as signature:
        words = ("-Y", "verify", "-f", str(allowed), "-I", _NAME, "-n", "git", "-s", str(signature))
        try:
            done = subprocess.run(
                ["ssh-keygen", *words], input=data, capture_output=True, env=environment(), timeout=_SECONDS,
                check=False,
            )  # fmt: skip
        except FileNotFoundError as error:
            raise Terminal(
                "there is no ssh-keygen, which verifies release commits", remedy="install the OpenSSH client"
            ) from error
    if done.returncode:
        raise _unusable(done.stderr.decode(errors="replace"), _PASTE)
