"""A bare mirror of a remote repository: the cache that all runs share, brought up to date under a lock."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout
from git import Repo
from pydantic import SecretStr

from argosy.errors import Terminal, Transient
from argosy.git import Git, GitError

_REFS = ("refs/heads/*", "refs/notes/argosy/*")
_LOCK_SECONDS = 300.0
_TRANSFER_SECONDS = 600.0
# git hands this to a shell of its own; the two values come from the environment of that one git process.
_HELPER = '!f() { test "$1" = get && printf "username=%s\\npassword=%s\\n" "$ARGOSY_USERNAME" "$ARGOSY_PASSWORD"; }; f'

_LOST_RACE = re.compile(r"fetch first|non-fast-forward|cannot lock ref|failed to update ref|incorrect old value")
_REFUSED = re.compile(r"pre-receive hook declined|protected branch|remote rejected|denied by")
_UNAUTHORISED = re.compile(r"Authentication failed|could not read (Username|Password)|error: 40[13]|Permission denied")
_MISSING = re.compile(r"repository .* not found|does not appear to be a git repository|error: 404")
_UNREACHABLE = re.compile(
    r"Could not resolve host|Failed to connect|Connection (refused|reset|timed out)|Could not connect|Empty reply"
    r"|error: (429|5\d\d)|RPC failed|early EOF|unexpected disconnect|Operation timed out|hung up"
)


class PushRejected(Transient):
    """Somebody else's push came first: fetch, apply again, push again."""


@dataclass(frozen=True, slots=True)
class Remote:
    """A repository's address, without credentials in it, and the credentials it wants over HTTP."""

    url: str
    username: str | None = None
    password: SecretStr | None = None

    def environment(self) -> dict[str, str]:
        """What the one git process that talks to this remote needs in its environment."""
        if self.password is None:
            return {}
        return {
            "GIT_CONFIG_COUNT": "2",
            "GIT_CONFIG_KEY_0": "credential.helper",
            "GIT_CONFIG_VALUE_0": "",
            "GIT_CONFIG_KEY_1": "credential.helper",
            "GIT_CONFIG_VALUE_1": _HELPER,
            "ARGOSY_USERNAME": self.username or "",
            "ARGOSY_PASSWORD": self.password.get_secret_value(),
        }


class Mirror:
    """The mirror of `remote` under `home`; `git` reads it. It is a cache: deleting it loses nothing."""

    def __init__(self, home: Path, remote: Remote) -> None:
        self.remote = remote
        name = hashlib.sha256(remote.url.encode()).hexdigest()[:24]
        self.path = home / "mirrors" / f"{name}.git"
        self.git = Git(self.path)

    def update(self) -> None:
        """Bring the mirror's branches and notes to where the remote's are; one request where they are there already.

        Raises Transient when the remote cannot be reached, Terminal when it refuses.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            with FileLock(f"{self.path}.lock", timeout=_LOCK_SECONDS):
                self._create()
                if self._advertised() != self._held():
                    self._fetch()
        except Timeout as error:
            raise Transient(f"the mirror of {self.remote.url} stayed locked for {_LOCK_SECONDS:.0f} s") from error

    def branch(self, name: str) -> str:
        """The tip of a branch, as of the last update. Raises Terminal where the remote has no such branch."""
        tip = self.git.ref(f"refs/heads/{name}")
        if tip is None:
            raise Terminal(f"{self.remote.url} has no branch {name}", remedy="push it, or correct argosy.yaml")
        return tip

    def default_branch(self) -> str:
        """The branch that the remote's HEAD points at. Raises Terminal where it points at none."""
        answer = self._transfer("ls-remote", "--quiet", "--symref", self.remote.url, "HEAD")
        found = re.search(r"^ref: refs/heads/(\S+)\tHEAD$", answer, re.MULTILINE)
        if found is None:
            raise Terminal(f"{self.remote.url} has no default branch", remedy="set one, or name the source commit")
        return found[1]

    def push(self, commit: str, ref: str) -> None:
        """Point the remote's `ref` at `commit`, which must descend from where it points now: compare and swap.

        Raises PushRejected when somebody else was first, Terminal when the remote refuses, Transient when it is down.
        """
        self._transfer("push", "--no-verify", self.remote.url, f"{commit}:{ref}")

    def _create(self) -> None:
        if (self.path / "HEAD").exists():
            return
        unfinished = self.path.with_name(f".{uuid.uuid4().hex}")
        with Repo.init(unfinished, bare=True, mkdir=True) as repository:
            repository.git.config("gc.auto", "0")
            repository.git.config("core.logAllRefUpdates", "false")
        unfinished.rename(self.path)

    def _advertised(self) -> dict[str, str]:
        listing = self._transfer("ls-remote", "--quiet", self.remote.url, *_REFS)
        rows = (row.split("\t") for row in listing.splitlines())
        return {name: sha for sha, name in rows}

    def _held(self) -> dict[str, str]:
        listing = self.git.text(
            "for-each-ref", "--format=%(refname)%09%(objectname)", "refs/heads", "refs/notes/argosy"
        )
        return dict(row.split("\t") for row in listing.splitlines())

    def _fetch(self) -> None:
        refspecs = [f"+{ref}:{ref}" for ref in _REFS]
        self._transfer("fetch", "--quiet", "--prune", "--no-tags", "--no-write-fetch-head", self.remote.url, *refspecs)

    def _transfer(self, *arguments: str) -> str:
        try:
            extra: Mapping[str, str] = self.remote.environment()
            return self.git.run(*arguments, extra=extra, timeout=_TRANSFER_SECONDS).decode(errors="replace")
        except GitError as error:
            raise explain(error, self.remote.url) from error


def explain(error: GitError, url: str) -> Transient | Terminal:
    """What a failed transfer means: lost a race, refused, unauthorised, missing or unreachable."""
    said = error.stderr
    if _LOST_RACE.search(said):
        return PushRejected(f"somebody else pushed to {url} first")
    if _UNREACHABLE.search(said):
        return Transient(f"{url} cannot be reached: {_last(said)}", remedy="check that the git server is up")
    if _UNAUTHORISED.search(said):
        return Terminal(f"{url} refuses the credentials", remedy="renew the token in the GitOps repository block")
    if _REFUSED.search(said):
        return Terminal(f"{url} refuses the push: {_last(said)}", remedy="allow Argosy's user to push to that branch")
    if _MISSING.search(said):
        return Terminal(f"{url} is not a repository", remedy="correct the URL in the GitOps repository block")
    return Terminal(str(error), remedy=f"run the same git command against {url} by hand")


def _last(said: str) -> str:
    lines = [line for line in said.splitlines() if line.strip()]
    return " | ".join(lines[-4:])
