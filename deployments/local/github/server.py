"""The stand-in as a part of the embedded stack, beside the git server."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr

from deployments.local.github.settings import OWNER, Settings
from deployments.local.part import Part
from deployments.local.ports import Port
from deployments.local.process import Process, environment
from deployments.local.signing import SigningKey


class GitHubStandIn(Part):
    """A process that serves GitHub's API at `url` over the bare repositories in `folder`, all of them `OWNER`'s."""

    def __init__(self, folder: Path, *, state: Path) -> None:
        port = Port()
        self.url = f"{port.url}/api/v3"
        self._root, self._orders = port.url, SecretStr(secrets.token_urlsafe(32))
        key = SigningKey.generate()
        self.public_key = key.public
        self._settings = Settings(port.number, str(folder), key.private, self._orders)
        command = [sys.executable, "-m", "deployments.local.github"]
        self._process = Process("github", command, state=state, env=environment(state), port=port)

    def start(self) -> None:
        """Start it; raises as `Process.start` does."""
        self._process.start(given=self._settings.write())

    def stop(self) -> None:
        """End it; it forgets every pull request."""
        self._process.stop()

    def admit(
        self, login: str, *repositories: str, permission: str = "push", token: SecretStr | None = None
    ) -> SecretStr:
        """A token of `login`'s for these repositories of the git server's, to `push` or only to `pull`.

        It is a new one unless given, such as the password that opens the git server: at GitHub one opens both.
        """
        token = token or SecretStr(f"github_pat_{secrets.token_urlsafe(32)}")
        names = dict.fromkeys(repositories, permission)
        self._ask("POST", "accounts", {"login": login, "token": token.get_secret_value(), "repositories": names})
        return token

    def repository(self, name: str) -> str:
        """How GitHub calls the git server's repository `name`."""
        return f"{OWNER}/{name}"

    def fail(self, path: str, status: int, body: object = None, **more: Any) -> None:
        """Answer the next request whose path fits the pattern so; `more` are the further fields of `door.Fault`."""
        self._ask("POST", "faults", {"path": path, "status": status, "body": body, **more})

    def check(self, repository: str, *, checking: bool) -> None:
        """Let the required checks of the repository's pull requests be under way, or pass."""
        self._ask("POST", f"checks/{repository}", {"checking": checking})

    def asked(self) -> list[str]:
        """Every request so far, as `METHOD PATH`."""
        return list(self._ask("GET", "asked"))

    def comments(self, repository: str, number: int) -> list[str]:
        """The comments on a pull request."""
        return list(self._ask("GET", f"comments/{repository}/{number}"))

    def _ask(self, method: str, path: str, body: Mapping[str, object] | None = None) -> Any:
        headers = {"Authorization": f"Bearer {self._orders.get_secret_value()}"}
        with httpx.Client(base_url=self._root, headers=headers, trust_env=False) as client:
            answer = client.request(method, f"/stand-in/{path}", json=body)
        return answer.raise_for_status().json()
