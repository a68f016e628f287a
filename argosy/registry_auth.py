"""Logging in to a registry: it says how by its challenge, and each scope's answer to it is kept in memory."""

from __future__ import annotations

import base64
import ipaddress
import re
from collections.abc import Generator
from dataclasses import dataclass

import httpx
from pydantic import SecretStr

from argosy.errors import Terminal
from argosy.redact import remember
from argosy.registry_errors import fault

SCOPE = "argosy.scope"
"""The extension of a request that names the scope it needs, e.g. `repository:shop/ui:pull,push`."""

_PARAMETER = re.compile(r'([A-Za-z0-9_-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))')
_BEARER = re.compile(r"(?:^|,)\s*bearer\s+", re.IGNORECASE)
_BASIC = re.compile(r"(?:^|,)\s*basic\b", re.IGNORECASE)
_TOKEN = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True, slots=True)
class RegistryCredentials:
    """A user of a registry."""

    username: str
    password: SecretStr


class ChallengeAuth(httpx.Auth):
    """Answers a registry's Basic or Bearer challenge; one for all threads of a client.

    `plain` says that the registry itself is spoken to without TLS, on this machine.
    """

    requires_response_body = True

    def __init__(self, credentials: RegistryCredentials | None, *, plain: bool) -> None:
        self._basic = _basic(credentials) if credentials else None
        self._plain = plain
        self._wants_basic = False
        self._tokens: dict[str, SecretStr] = {}

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send `request`; on 401 answer the challenge, once, and send it again."""
        scope: str = request.extensions[SCOPE]
        known = self._basic if self._wants_basic else self._tokens.get(scope)
        _authorize(request, known)
        response = yield request
        if response.status_code != httpx.codes.UNAUTHORIZED:
            return
        challenges = ", ".join(response.headers.get_list("www-authenticate"))
        if bearer := _BEARER.search(challenges):
            parameters = _parameters(challenges[bearer.end() :])
            token = _token((yield self._token_request(parameters, request)))
            self._wants_basic, self._tokens[scope] = False, token
            _authorize(request, token)
            yield request
        elif self._basic and known is not self._basic and _BASIC.search(challenges):
            self._wants_basic = True
            _authorize(request, self._basic)
            yield request

    def _token_request(self, parameters: dict[str, str], request: httpx.Request) -> httpx.Request:
        scopes = parameters.get("scope") or request.extensions[SCOPE]
        query = [("service", parameters.get("service", "")), *(("scope", scope) for scope in scopes.split())]
        url = self._realm(parameters.get("realm", "")).copy_merge_params(query)
        # A request made by hand has no time limit but the one that it is given here.
        asking = httpx.Request("GET", url, extensions={"timeout": request.extensions["timeout"]})
        _authorize(asking, self._basic)
        return asking

    def _realm(self, realm: str) -> httpx.URL:
        """The address to ask for a token: with TLS, unless it and the registry are on this very machine."""
        try:
            url = httpx.URL(realm)
        except httpx.InvalidURL:
            url = httpx.URL("")
        plain = url.scheme == "http" and self._plain and is_loopback(url.host)
        if not url.host or url.userinfo or not (url.scheme == "https" or plain):
            raise Terminal(
                f"the registry sends to {realm!r} for a token, which is no https address",
                remedy="correct the realm in the registry's configuration",
            )
        return url


def is_loopback(host: str) -> bool:
    """Whether `host`, without a port, names this machine by a loopback address or as localhost."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def _basic(credentials: RegistryCredentials) -> SecretStr:
    pair = f"{credentials.username}:{credentials.password.get_secret_value()}"
    return SecretStr("Basic " + base64.b64encode(pair.encode()).decode())


def _authorize(request: httpx.Request, header: SecretStr | None) -> None:
    if header is not None:
        request.headers["Authorization"] = header.get_secret_value()


def _parameters(challenge: str) -> dict[str, str]:
    found = _PARAMETER.findall(challenge)
    return {key.lower(): re.sub(r"\\(.)", r"\1", quoted) or bare for key, quoted, bare in reversed(found)}


def _token(response: httpx.Response) -> SecretStr:
    """The Authorization header that a token server's answer makes; raises as `fault` says, Terminal for nonsense."""
    what = f"asking {response.request.url.host} for a token"
    if not response.is_success:
        raise fault(response, what)
    try:
        answer = response.json()
        token = answer.get("token") or answer.get("access_token")
    except (ValueError, AttributeError):
        token = None
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise Terminal(f"{what}: its answer holds no token", remedy="see whether the realm is a token server")
    remember(token)
    return SecretStr(f"Bearer {token}")
