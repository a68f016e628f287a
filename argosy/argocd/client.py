"""Argo CD's REST API (3.x): what it says of an application, read strictly, and the order to sync one."""

from __future__ import annotations

import ssl
from collections.abc import Generator, Mapping
from ipaddress import ip_address
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx
from pydantic import SecretStr

from argosy.argocd.applications import Application, Malformed, parse
from argosy.errors import ArgosyError, Terminal, Transient

_SECONDS = 30.0
_REFRESH_TIMEOUT = httpx.Timeout(90.0, connect=10.0)
_PASSING = frozenset({408, 425, 429})
_BUSY = "another operation is already in progress"


class _Bearer(httpx.Auth):
    def __init__(self, token: SecretStr) -> None:
        self._token = token

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = f"Bearer {self._token.get_secret_value()}"
        yield request


class ArgoCD:
    """A client of the Argo CD server at `url`; a context manager that owns its connections.

    `ca_file` names the certificates to trust where the system's are not enough; `timeout`, in seconds, bounds an answer
    that waits for no refresh. Raises Terminal for a `url` that
    would carry the token in the clear and for a token that cannot be one. Every call raises Transient for what may
    pass (no connection, a timeout, 429, 5xx) and Terminal, with the remedy, for what will not.
    """

    def __init__(self, url: str, token: SecretStr, *, ca_file: str | None = None, timeout: float = _SECONDS) -> None:
        self._timeout = httpx.Timeout(timeout, connect=min(timeout, 10.0))
        base = httpx.URL(url)
        if base.userinfo:
            raise Terminal("the Argo CD address carries credentials", remedy="leave them out: the token is enough")
        loopback = _is_loopback(base.host)
        if base.scheme != "https" and not (base.scheme == "http" and loopback):
            raise Terminal(f"{url} is no https:// address", remedy="plain http is for loopback addresses only")
        if not _sendable(token):
            # Checked here because the HTTP library quotes a header that it refuses.
            raise Terminal("the Argo CD token is no token", remedy="it is one line without blanks: copy it again")
        self.url = str(base).rstrip("/")
        self._client = httpx.Client(
            base_url=self.url,
            auth=_Bearer(token),
            timeout=self._timeout,
            verify=ssl.create_default_context(cafile=ca_file) if ca_file else True,
            trust_env=not loopback,
            headers={"Accept": "application/json"},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def application(self, name: str, project: str | None = None, *, refresh: bool = False) -> Application:
        """The application `name`, as it stands; with `refresh`, after Argo CD has compared it anew.

        Give `project` where it is known: without it Argo CD answers 403, not 404, for one that is not there.
        """
        query = {"refresh": "normal"} if refresh else {}
        timeout = _REFRESH_TIMEOUT if refresh else None
        document = self._ask("GET", _path(name), project, query=query, timeout=timeout)
        return self._parsed(document, name)

    def sync(self, name: str, project: str | None = None, *, revision: str | None = None) -> Application:
        """Order a sync of the application `name`, of its target revision or of `revision`.

        Raises Transient while another operation runs, Terminal where auto-sync refuses a `revision` of its own.
        """
        body = {"name": name} | ({"revision": revision} if revision else {})
        body |= {"project": project} if project else {}
        return self._parsed(self._ask("POST", f"{_path(name)}/sync", project, body=body), name)

    def complaints(self, name: str, project: str | None = None) -> tuple[str, ...]:
        """What is wrong with the application's resources, one sentence each: `Pod ui-5d8: Back-off pulling…`.

        Argo CD 3 keeps these messages in the resource tree only, not in the application.
        """
        nodes = self._ask("GET", f"{_path(name)}/resource-tree", project).get("nodes") or []
        found = (_complaint(node) for node in nodes if isinstance(node, dict))
        return tuple(complaint for complaint in found if complaint)

    def version(self) -> str:
        """The server's version, as it writes it (`v3.1.0+abcdef0`)."""
        document = self._ask("GET", "/api/version", None)
        version = document.get("Version")
        if not isinstance(version, str):
            raise self._not_argo("its version is missing")
        return version

    def _parsed(self, document: Mapping[str, Any], name: str) -> Application:
        try:
            return parse(document)
        except Malformed as error:
            raise self._not_argo(f"its answer about application {name} cannot be read: {error}") from error

    def _ask(
        self,
        method: str,
        path: str,
        project: str | None,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, str] | None = None,
        timeout: httpx.Timeout | None = None,
    ) -> dict[str, Any]:
        params = dict(query or {}) | ({"project": project} if project and method == "GET" else {})
        try:
            answer = self._client.request(method, path, params=params, json=body, timeout=timeout or self._timeout)
        except httpx.TimeoutException as error:
            raise Transient(
                f"Argo CD at {self.url} did not answer in time", remedy="see how busy it is, and the network to it"
            ) from error
        except httpx.RequestError as error:
            raise _unreachable(error, self.url) from error
        if not answer.is_success:
            raise _refusal(answer, self.url, project)
        document = _json(answer)
        if document is None:
            raise self._not_argo(f"{path} answered something else than a JSON object")
        return document

    def _not_argo(self, what: str) -> Terminal:
        remedy = "check the address, with its root path, and that the server is Argo CD 2.8 or newer"
        return Terminal(f"{self.url} does not answer as Argo CD does: {what}", remedy=remedy)


def _path(name: str) -> str:
    return f"/api/v1/applications/{quote(name, safe='')}"


def _complaint(node: Mapping[str, Any]) -> str | None:
    health = node.get("health")
    if not isinstance(health, dict) or health.get("status") == "Healthy" or not health.get("message"):
        return None
    return f"{node.get('kind')} {node.get('name')}: {health['message']}"


def _sendable(token: SecretStr) -> bool:
    value = token.get_secret_value()
    return bool(value) and value.isascii() and value.isprintable() and " " not in value


def _unreachable(error: httpx.RequestError, url: str) -> ArgosyError:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            text = f"the certificate of Argo CD at {url} is not trusted: {cause.verify_message}"
            return Terminal(text, remedy="name the CA that signed it in SSL_CERT_FILE, where Argosy runs")
        cause = cause.__cause__ or cause.__context__
    return Transient(f"Argo CD at {url} cannot be reached: {error}", remedy="check the address and the network")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _json(answer: httpx.Response) -> dict[str, Any] | None:
    try:
        document = answer.json()
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def _refusal(answer: httpx.Response, url: str, project: str | None) -> ArgosyError:
    document = _json(answer) or {}
    said = document.get("message") or document.get("error") or answer.reason_phrase
    text = f"Argo CD at {url} answered {answer.status_code}: {said}"
    if answer.status_code >= 500 or answer.status_code in _PASSING or said == _BUSY:
        return Transient(text, remedy="try again later, or see the Argo CD server's log")
    return Terminal(text, remedy=_remedy(answer.status_code, str(said), project))


def _remedy(status: int, said: str, project: str | None) -> str:
    if 300 <= status < 400:
        return "it points elsewhere: give the address that it redirects to"
    if status == 401:
        return "the token is wrong or has expired: make a new one"
    if status == 403:
        missing = "" if project else ", or there is no such application: name its project to tell the two apart"
        return f"the token's role may not do this{missing}"
    if status == 404:
        return "check the application's name and project, and that its manifest was applied"
    if "auto-sync" in said:
        return "under auto-sync leave the revision out"
    return "see the Argo CD server's log"
