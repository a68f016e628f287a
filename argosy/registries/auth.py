"""Logging in to a registry: it says how by its challenge, and each scope's answer to it is kept in memory."""

from __future__ import annotations

import base64
import ipaddress
import re
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager

import httpx
from pydantic import SecretStr

from argosy.errors import Terminal
from argosy.redact import remember
from argosy.registries.errors import fault
from argosy.registries.login import Login, RegistryCredentials

__all__ = ["SCOPE", "ChallengeAuth", "RegistryCredentials", "is_loopback"]

SCOPE = "argosy.scope"
"""The extension of a request that names the scope it needs, e.g. `repository:shop/ui:pull,push`."""

_PARAMETER = re.compile(r'([A-Za-z0-9_-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))')
_BEARER = re.compile(r"(?:^|,)\s*bearer\s+", re.IGNORECASE)
_BASIC = re.compile(r"(?:^|,)\s*basic\b", re.IGNORECASE)
_TOKEN = re.compile(r"[\x21-\x7e]+")
_USABLE = 0.9  # of a token's life: what is on its way when it ends comes too late
_FIRST_WAITS = 30.0

Requests = Generator[httpx.Request, httpx.Response, None]


class ChallengeAuth(httpx.Auth):
    """Answers a registry's Basic or Bearer challenge; one for all threads of a client.

    What the first request learns of the registry's ways spares the others a refusal each. Credentials that are refused
    are replaced once, where `login` has others by then. `plain` says that the registry itself is spoken to without TLS,
    on this machine. `clock` is in seconds.
    """

    requires_response_body = True

    def __init__(self, login: Login, *, plain: bool, clock: Callable[[], float] = time.monotonic) -> None:
        self._login, self._plain, self._clock = login, plain, clock
        self._first, self._learned = threading.Lock(), threading.Event()
        self._wants_basic = False
        self._realm_of: dict[str, str] | None = None
        self._tokens: dict[str, tuple[SecretStr, float]] = {}

    def auth_flow(self, request: httpx.Request) -> Requests:
        """Send `request`; on 401 answer the challenge, once, and send it again."""
        with self._alone_at_first():
            user = self._login.current() if self._wants_basic else None
            header = _basic(user) if user else (yield from self._token_for(request))
            response = yield from _sent(request, header)
            refused = response.status_code == httpx.codes.UNAUTHORIZED
            challenges = ", ".join(response.headers.get_list("www-authenticate")) if refused else ""
            parameters = self._learn(challenges)
        if parameters is not None:
            yield from _sent(request, (yield from self._new_token(request, parameters)))
        elif _BASIC.search(challenges):
            yield from self._basically(request, user)
        elif user and response.status_code == httpx.codes.FORBIDDEN:  # as ECR says it of a token that has expired
            yield from self._with_another(request, user, old=True)

    @contextmanager
    def _alone_at_first(self) -> Iterator[None]:
        """Let one thread find out what the registry wants, while the others wait for that."""
        alone = not self._learned.is_set() and self._first.acquire(blocking=False)
        if not alone:
            self._learned.wait(_FIRST_WAITS)
        try:
            yield
        finally:
            if alone:
                self._learned.set()

    def _learn(self, challenges: str) -> dict[str, str] | None:
        """Keep what a refusal's challenges say for later requests; the parameters of a Bearer challenge."""
        if bearer := _BEARER.search(challenges):
            self._realm_of, self._wants_basic = _parameters(challenges[bearer.end() :]), False
            return self._realm_of
        if _BASIC.search(challenges):
            self._realm_of, self._wants_basic = None, True
        return None

    def _basically(self, request: httpx.Request, refused: RegistryCredentials | None) -> Requests:
        user = self._login.current()
        if user is None:
            return
        if user != refused:
            response = yield from _sent(request, _basic(user))
            if response.status_code != httpx.codes.UNAUTHORIZED:
                return
        yield from self._with_another(request, user)

    def _with_another(self, request: httpx.Request, refused: RegistryCredentials, *, old: bool = False) -> Requests:
        other = self._login.other_than(refused, old=old)
        if other:
            yield from _sent(request, _basic(other))

    def _token_for(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, SecretStr | None]:
        """The token for the request's scope: one that is at hand, or a new one where it is known whom to ask."""
        scope: str = request.extensions[SCOPE]
        for each in (scope, scope.replace(":pull", ":pull,push")):
            token, end = self._tokens.get(each, (None, 0.0))
            if token and self._clock() < end:
                return token
        realm = self._realm_of
        return (yield from self._new_token(request, {**realm, "scope": scope})) if realm is not None else None

    def _new_token(
        self, request: httpx.Request, parameters: dict[str, str]
    ) -> Generator[httpx.Request, httpx.Response, SecretStr]:
        user = self._login.current()
        response = yield self._token_request(parameters, request, user)
        if response.status_code == httpx.codes.UNAUTHORIZED and user and (other := self._login.other_than(user)):
            response = yield self._token_request(parameters, request, other)
        token, seconds = _token(response)
        self._tokens[request.extensions[SCOPE]] = token, self._clock() + seconds * _USABLE
        return token

    def _token_request(
        self, parameters: dict[str, str], request: httpx.Request, user: RegistryCredentials | None
    ) -> httpx.Request:
        scopes = parameters.get("scope") or request.extensions[SCOPE]
        query = [("service", parameters.get("service", "")), *(("scope", scope) for scope in scopes.split())]
        url = self._realm(parameters.get("realm", "")).copy_merge_params(query)
        # A request made by hand has no time limit but the one that it is given here.
        asking = httpx.Request("GET", url, extensions={"timeout": request.extensions["timeout"]})
        _authorize(asking, _basic(user) if user else None)
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


def _sent(request: httpx.Request, header: SecretStr | None) -> Generator[httpx.Request, httpx.Response, httpx.Response]:
    _authorize(request, header)
    return (yield request)


def _authorize(request: httpx.Request, header: SecretStr | None) -> None:
    if header is not None:
        request.headers["Authorization"] = header.get_secret_value()


def _parameters(challenge: str) -> dict[str, str]:
    found = _PARAMETER.findall(challenge)
    return {key.lower(): re.sub(r"\\(.)", r"\1", quoted) or bare for key, quoted, bare in reversed(found)}


def _token(response: httpx.Response) -> tuple[SecretStr, float]:
    """The Authorization header that a token server's answer makes, and for how many seconds it says that it is good.

    Raises as `fault` says, and Terminal for nonsense.
    """
    what = f"asking {response.request.url.host} for a token"
    if not response.is_success:
        raise fault(response, what)
    try:
        answer = response.json()
        token, seconds = answer.get("token") or answer.get("access_token"), answer.get("expires_in")
    except (ValueError, AttributeError):
        token = seconds = None
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise Terminal(f"{what}: its answer holds no token", remedy="see whether the realm is a token server")
    remember(token)
    # Without a word of it a token is used until it is refused.
    lasting = isinstance(seconds, int | float) and seconds > 0
    return SecretStr(f"Bearer {token}"), float(seconds) if lasting else float("inf")
