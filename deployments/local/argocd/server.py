"""The stand-in as a part of the embedded stack."""

from __future__ import annotations

import secrets
import sys
from pathlib import Path
from urllib.parse import quote

import httpx
from pydantic import SecretStr

from deployments.local.argocd.controller import Following
from deployments.local.argocd.repository import Login
from deployments.local.argocd.settings import Settings
from deployments.local.part import Part
from deployments.local.ports import Port
from deployments.local.process import Process, environment


class ArgoCDStandIn(Part):
    """A process that brings up what the Applications in `repository` say, at `url`, for bearers of `token`.

    `repository` is any URL that git can fetch from, and stands for every `repoURL`; `registry` is the `HOST:PORT`
    that images can be pulled from.
    """

    def __init__(
        self,
        repository: str,
        registry: str,
        following: Following,
        *,
        state: Path,
        git_login: Login | None = None,
        registry_login: Login | None = None,
    ) -> None:
        self.token = SecretStr(secrets.token_urlsafe(32))
        port = Port()
        self.url = port.url
        self._settings = Settings(
            port=port.number,
            token=self.token,
            repository=repository,
            mirror=str(state / "argocd" / "mirror.git"),
            registry=registry,
            following=following,
            git_login=git_login,
            registry_login=registry_login,
        )
        command = [sys.executable, "-m", "deployments.local.argocd"]
        self._process = Process("argocd", command, state=state, env=environment(state), port=port)

    def start(self) -> None:
        """Start it, and return when it has looked at the repository once; raises as `Process.start` does."""
        self._process.start(self._answers, given=self._settings.write())

    def stop(self) -> None:
        """End it; it forgets every application's state."""
        self._process.stop()

    def degrade(self, name: str, message: str, image: str | None = None) -> None:
        """Make the application Degraded until released; with `image`, only while it runs one that contains that."""
        self._order("PUT", name, {"degraded": message, "degraded_image": image})

    def hang(self, name: str) -> None:
        """Keep the application Progressing until released."""
        self._order("PUT", name, {"hanging": True})

    def lock(self, name: str) -> None:
        """Keep an operation of the application running until released."""
        self._order("PUT", name, {"locked": True})

    def fail(self, name: str, message: str) -> None:
        """Let the application's operations fail with `message` until released."""
        self._order("PUT", name, {"failing": message})

    def release(self, name: str) -> None:
        """Take back what the application was ordered."""
        self._order("DELETE", name)

    def break_down(self, requests: int) -> None:
        """Answer the next `requests` requests with 503."""
        self._ask("POST", "/stand-in/outage", {"requests": requests})

    def reach(self, registry: str, login: Login) -> None:
        """Let images be pulled from that registry too, until this ends."""
        body: dict[str, object] = {"host": registry, "user": login.user, "password": login.password.get_secret_value()}
        self._ask("POST", "/stand-in/registries", body)

    def _order(self, method: str, name: str, orders: dict[str, object] | None = None) -> None:
        self._ask(method, f"/stand-in/applications/{quote(name, safe='')}", orders)

    def _ask(self, method: str, path: str, body: dict[str, object] | None) -> None:
        headers = {"Authorization": f"Bearer {self.token.get_secret_value()}"}
        with httpx.Client(base_url=self.url, headers=headers, trust_env=False) as client:
            client.request(method, path, json=body).raise_for_status()

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/healthz", trust_env=False).is_success
        except httpx.TransportError:
            return False
