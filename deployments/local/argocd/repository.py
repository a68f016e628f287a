"""A bare mirror of the followed repository: its references, and the commits behind them."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from argosy.git import Git
from argosy.processes.secret_files import secret_file
from deployments.local.argocd.manifests import Invalid, Manifest, applications, manifest_files


@dataclass(frozen=True, slots=True)
class Login:
    """A user of a git server or a registry."""

    user: str
    password: SecretStr

    @property
    def header(self) -> SecretStr:
        """The value of the Authorization header."""
        pair = f"{self.user}:{self.password.get_secret_value()}".encode()
        return SecretStr(f"Basic {base64.b64encode(pair).decode()}")


class Mirror:
    """The repository at `url`, mirrored into `folder`; close it when done."""

    def __init__(self, url: str, folder: Path, login: Login | None = None) -> None:
        self.git = Git(folder)
        self._url = url
        self._references: Mapping[str, str] = {}
        self._secrets = ExitStack()
        header = f"Authorization: {login.header.get_secret_value()}" if login else ""
        configuration = self._secrets.enter_context(secret_file(SecretStr(f'[http]\n\textraHeader = "{header}"\n')))
        # Git reads it as its own configuration: the password is in no argument and no environment.
        self._extra = {"GIT_CONFIG_GLOBAL": str(configuration)}
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.git.run("init", "--quiet", "--bare")

    def close(self) -> None:
        """Forget the login."""
        self._secrets.close()

    def poll(self) -> bool:
        """Ask for the references and fetch what is new; whether anything was.

        Raises GitError or Transient when the repository cannot be had.
        """
        references = self._ask()
        if references == self._references:
            return False
        refspecs = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
        self.git.run("fetch", "--quiet", "--prune", "--no-write-fetch-head", self._url, *refspecs, extra=self._extra)
        self._references = references
        return True

    def _ask(self) -> Mapping[str, str]:
        listing = self.git.run("ls-remote", self._url, extra=self._extra, timeout=30).decode(errors="replace")
        rows = (line.partition("\t") for line in listing.splitlines())
        return {name: sha for sha, _, name in rows if name == "HEAD" or name.startswith(("refs/heads/", "refs/tags/"))}

    def resolve(self, revision: str) -> str:
        """The commit that `HEAD`, a branch, a tag or a full SHA names. Raises Invalid."""
        names = (revision,) if revision == "HEAD" else (f"refs/heads/{revision}", f"refs/tags/{revision}^{{}}")
        for name in (*names, f"refs/tags/{revision}"):
            if name in self._references:
                return self._references[name]
        if self.git.is_commit(revision):
            return revision
        raise Invalid(f"failed to resolve revision {revision!r}: no such branch, tag or commit")

    def manifests(self, branches: tuple[str, ...]) -> dict[str, Manifest]:
        """The Applications in each of `branches`, wherever they lie, by name; of two alike the first branch's counts.

        Raises Invalid where one cannot be read, or there are too many files to look into.
        """
        found: dict[str, Manifest] = {}
        for commit in (self._references.get(f"refs/heads/{branch}") for branch in branches):
            for manifest in self._applications(commit) if commit else ():
                found.setdefault(manifest.name, manifest)
        return found

    def _applications(self, commit: str) -> Iterator[Manifest]:
        files = manifest_files(self.git.tree(commit))
        for file, content in zip(files, self.git.objects(file.object_id for file in files), strict=True):
            yield from applications(content or b"", file.path)
