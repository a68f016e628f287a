"""Prefect's REST API as far as the command line speaks it, so that no command waits for Prefect's own client."""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Self

import httpx
from pydantic import SecretStr

from argosy.errors import ConfigurationError, Terminal, Transient, WrongUse
from argosy.registries.auth import is_loopback
from argosy.registries.errors import unreachable

_DELAYS = (0.2, 0.4, 0.8, 1.6, 3.2)
_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]*")


class PrefectApi(AbstractContextManager["PrefectApi"]):
    """A client of the API at `url` (it ends in `/api`); `with` closes it.

    `key` is an API key, `login` a `user:password`. `timeout` in seconds bounds each connecting and reading. Every
    method raises Transient when the server cannot be reached or is in trouble, Terminal when it refuses.
    """

    def __init__(
        self, url: str, *, key: SecretStr | None = None, login: SecretStr | None = None, timeout: float = 30.0
    ) -> None:
        self.url = _address(url)
        self._client = httpx.Client(
            base_url=self.url,
            headers=_authorization(key, login),
            timeout=timeout,
            trust_env=not is_loopback(httpx.URL(self.url).host),
        )

    @classmethod
    def of_environment(cls, environment: Mapping[str, str], *, timeout: float = 30.0) -> Self:
        """The API that PREFECT_API_URL names. Raises ConfigurationError where it names none."""
        if not environment.get("PREFECT_API_URL"):
            raise ConfigurationError(
                "PREFECT_API_URL is not set", remedy="set it to the address of the Prefect API: https://HOST/api"
            )
        key, login = (environment.get(name) for name in ("PREFECT_API_KEY", "PREFECT_API_AUTH_STRING"))
        return cls(
            environment["PREFECT_API_URL"],
            key=SecretStr(key) if key else None,
            login=SecretStr(login) if login else None,
            timeout=timeout,
        )

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def version(self) -> str:
        """The server's version. Raises as the class says, so that it tells whether the API is there and lets us in."""
        answer = self._ask("GET", "/admin/version")
        if not isinstance(answer, str):
            raise self._no_prefect()
        return answer

    def blocks(self, names: Sequence[str]) -> list[dict[str, Any]]:
        """The block documents called any of `names`, of whatever type; their secrets are not asked for."""
        asked = {"block_documents": {"name": {"any_": list(names)}}, "include_secrets": False}
        return self._list("/block_documents/filter", asked)

    def deployments(self, flow: str) -> list[dict[str, Any]]:
        """The deployments of the flow called `flow`."""
        return self._list("/deployments/filter", {"flows": {"name": {"any_": [flow]}}})

    def workers(self, pool: str) -> list[dict[str, Any]]:
        """The workers of the work pool called `pool`, those that went away included."""
        if not _SAFE.fullmatch(pool):
            raise Terminal(
                f"{pool!r} is no name of a work pool", remedy="deploy to a pool of letters, digits and dashes"
            )
        return self._list(f"/work_pools/{pool}/workers/filter", {})

    def deployment(self, flow: str, name: str) -> dict[str, Any]:
        """The deployment called `name` of the flow called `flow`. Raises WrongUse where there is none."""
        found = [each for each in self.deployments(flow) if each["name"] == name]
        if not found:
            known = ", ".join(sorted(f"{flow}/{each['name']}" for each in self.deployments(flow))) or "none"
            raise WrongUse(
                f"the Prefect server has no deployment {flow}/{name}",
                remedy=f"register it (python -m deployments.register), or name one of those there are: {known}",
            )
        return found[0]

    def create_flow_run(self, deployment: str, parameters: Mapping[str, Any], key: str) -> dict[str, Any]:
        """Ask for a run of the deployment with that id; the same idempotency `key` again answers with the same run."""
        asked = {"parameters": dict(parameters), "idempotency_key": key}
        path = f"/deployments/{deployment}/create_flow_run"
        for delay in _DELAYS:
            try:
                return self._object("POST", path, asked)
            except Transient:  # on SQLite two writers that meet are told 503; the key makes it safe to ask again
                time.sleep(delay)
        return self._object("POST", path, asked)

    def flow_run(self, run: str) -> dict[str, Any]:
        """The flow run with that id, as it stands."""
        return self._object("GET", f"/flow_runs/{run}")

    def logs(self, run: str, offset: int) -> list[dict[str, Any]]:
        """A page of the log of a run and its tasks, the oldest lines first, from line number `offset` on."""
        asked = {"logs": {"flow_run_id": {"any_": [run]}}, "sort": "TIMESTAMP_ASC", "offset": offset}
        return self._list("/logs/filter", asked)

    def _object(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        answer = self._ask(method, path, body)
        if not isinstance(answer, dict):
            raise self._no_prefect()
        return answer

    def _list(self, path: str, body: Mapping[str, Any]) -> list[dict[str, Any]]:
        answer = self._ask("POST", path, body)
        if not isinstance(answer, list):
            raise self._no_prefect()
        return answer

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        try:
            answer = self._client.request(method, path, json=body)
        except httpx.TimeoutException as error:
            raise Transient(
                f"the Prefect API at {self.url} did not answer in time", remedy="see how busy its server is"
            ) from error
        except httpx.RequestError as error:
            raise unreachable(error, f"the Prefect API at {self.url}") from error
        if not answer.is_success:
            raise self._refusal(answer, path)
        try:
            return answer.json()
        except ValueError as error:
            raise self._no_prefect() from error

    def _refusal(self, answer: httpx.Response, path: str) -> Transient | Terminal:
        status = answer.status_code
        text = f"the Prefect API at {self.url} answered {status} to {path}"
        if status >= 500 or status in {408, 425, 429}:
            return Transient(text, remedy="try again later, or see its server's log")
        if status in {401, 403}:
            remedy = "set PREFECT_API_KEY, or PREFECT_API_AUTH_STRING to user:password, as its server wants them"
            return Terminal(f"the Prefect API at {self.url} refuses the credentials ({status})", remedy=remedy)
        return Terminal(text, remedy="see that PREFECT_API_URL ends in /api, and which version its server has")

    def _no_prefect(self) -> Terminal:
        return Terminal(
            f"{self.url} does not answer as a Prefect API does", remedy="see that PREFECT_API_URL ends in /api"
        )


def _address(url: str) -> str:
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise ConfigurationError("PREFECT_API_URL is no address", remedy="write https://HOST/api") from error
    if parsed.userinfo:
        raise ConfigurationError(
            "PREFECT_API_URL carries credentials", remedy="put them into PREFECT_API_AUTH_STRING, as user:password"
        )
    if parsed.scheme not in {"http", "https"} or not re.fullmatch(r"[A-Za-z0-9.-]+|[0-9a-fA-F:]+", parsed.host):
        raise ConfigurationError(f"PREFECT_API_URL, {url}, is no web address", remedy="write https://HOST/api")
    return url.rstrip("/")


def _authorization(key: SecretStr | None, login: SecretStr | None) -> dict[str, str]:
    if key:
        return {"Authorization": f"Bearer {_sendable(key)}"}
    if login:
        return {"Authorization": "Basic " + base64.b64encode(login.get_secret_value().encode()).decode()}
    return {}


def _sendable(key: SecretStr) -> str:
    value = key.get_secret_value().strip()
    if not (value.isascii() and value.isprintable()):
        # Checked here because the HTTP library quotes a header that it refuses.
        raise ConfigurationError("PREFECT_API_KEY is no key", remedy="it is one line without blanks: copy it again")
    return value
