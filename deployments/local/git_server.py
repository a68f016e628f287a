"""The git host of the embedded stack: bare repositories over HTTP, with users and protected branches."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from pydantic import SecretStr

from argosy.errors import Terminal
from deployments.local.part import Part
from deployments.local.ports import Port
from deployments.local.process import Process, environment

BOT = "argosy"
DEVELOPER = "developer"
PROTECTED = ("main", "develop", "gitops")

_HOOK = Path(__file__).with_name("pre-receive")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(?<!\.git)")


class GitServer(Part):
    """Serves the bare repositories in its `folder`, `state/git`, to `users` (name to password) on 127.0.0.1."""

    def __init__(self, users: Mapping[str, SecretStr], *, state: Path) -> None:
        self._port = Port()
        self.folder = state / "git"
        self._users = dict(users)
        self._env = environment(state, GIT_CONFIG_NOSYSTEM="1")
        command = [sys.executable, "-m", "deployments.local.git_http", str(self._port.number), str(self.folder)]
        self._process = Process("git", command, state=state, env=self._env, port=self._port)

    def start(self) -> None:
        """Start it; raises as `Process.start` does."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        users = {user: password.get_secret_value() for user, password in self._users.items()}
        self._process.start(given=SecretStr(json.dumps(users)))

    def stop(self) -> None:
        """End it; the repositories stay."""
        self._process.stop()

    def create(
        self,
        name: str,
        *,
        protected: Sequence[str] = PROTECTED,
        pushers: Sequence[str] = (BOT, DEVELOPER),
        annotators: Sequence[str] = (BOT,),
    ) -> str:
        """Make the repository `name` where it is missing, set its protection, and return its URL.

        Only `pushers` push to the branches `protected`, only `annotators` to `refs/notes/`, and nobody rewinds or
        deletes either. Raises Terminal for a name that is none.
        """
        if not _NAME.fullmatch(name):
            raise Terminal(f"{name!r} names no repository", remedy="use letters, digits, dots, dashes and underscores")
        path = self.path(name)
        self._git("init", "--quiet", "--bare", "--initial-branch=main", "--template=", str(path))
        settings = {
            "protect.branches": " ".join(protected),
            "protect.pushers": " ".join(pushers),
            "protect.annotators": " ".join(annotators),
            "core.hooksPath": "hooks",
            "gc.auto": "0",  # no process outlives its push
            "receive.autogc": "false",
            "uploadpack.allowFilter": "true",  # as the hosting services have them
            "uploadpack.allowAnySHA1InWant": "true",
        }
        for key, value in settings.items():
            self._git("-C", str(path), "config", key, value)
        (path / "hooks").mkdir(exist_ok=True)
        hook = path / "hooks" / "pre-receive"
        hook.write_bytes(_HOOK.read_bytes())
        hook.chmod(0o700)
        return self.url(name)

    def set_default_branch(self, name: str, branch: str) -> None:
        """Point the repository's HEAD at `branch`, as a hosting service's settings do."""
        self._git("-C", str(self.path(name)), "symbolic-ref", "HEAD", f"refs/heads/{branch}")

    def url(self, name: str) -> str:
        """Where clients find the repository; it holds no credentials."""
        return f"{self._port.url}/{name}.git"

    def path(self, name: str) -> Path:
        """The repository's folder, to look into it behind the server's back."""
        return self.folder / f"{name}.git"

    @contextmanager
    def hold(self, name: str, user: str = "") -> Iterator[None]:
        """Keep pushes (of `user`, else everybody's) waiting before they are judged, for at most a minute."""
        file = self.path(name) / "hooks" / "hold"
        file.write_text(user)
        try:
            yield
        finally:
            file.unlink()

    def holding(self, name: str) -> bool:
        """Whether a push is waiting now."""
        return (self.path(name) / "hooks" / "held").exists()

    def _git(self, *arguments: str) -> None:
        subprocess.run(["git", *arguments], env=self._env, check=True, stdout=subprocess.DEVNULL)
