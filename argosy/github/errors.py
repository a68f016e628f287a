"""What GitHub's refusals mean: a limit that passes, credentials, rights, protection, or a server that is ill."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from argosy.errors import ArgosyError, Terminal, Transient, Unwell
from argosy.gitops.transfer_errors import PushRefused, PushRejected

if TYPE_CHECKING:
    from github import GithubException

_RIGHTS = "give the token read and write access to this repository's contents and pull requests"
_REMEDIES = {
    401: "renew the token in the GitOps repository block",
    403: _RIGHTS,
    404: f"correct api_repository and api_url in the GitOps repository block, or {_RIGHTS}",
}
_OTHER = "see what GitHub says of it, and the settings of the repository"
_ILL = 500
_LIMITED = ("rate limit", "retry your request again later", "wait a few minutes")


class RateLimited(Transient):
    """GitHub wants to be left alone for `wait` seconds, which is 0 where it does not say for how long."""

    wait: float = 0.0


def explain(error: GithubException, what: str, now: float) -> ArgosyError:
    """The error that stands for a refusal, met doing `what`; `now` is in seconds since 1970."""
    status, data = error.status, error.data if isinstance(error.data, Mapping) else {}
    headers = {str(name).lower(): str(value) for name, value in (error.headers or {}).items()}
    said = _said(data)
    words = f"{what}: {status}" + (f" {said}" if said else "")
    if status == 429 or (status == 403 and any(sign in said.lower() for sign in _LIMITED)):
        return _limited(words, headers, now)
    if status >= _ILL or status == 408:
        return Unwell(words, remedy="try again later; see whether GitHub says that it is ill")
    of_graphql = [each for each in data.get("errors") or () if isinstance(each, Mapping)] if status == 400 else []
    if of_graphql:
        return _of_graphql(of_graphql[0], what)
    return Terminal(words, remedy=_REMEDIES.get(status, _OTHER))


def _limited(words: str, headers: Mapping[str, str], now: float) -> RateLimited:
    wait, reset = headers.get("retry-after", ""), headers.get("x-ratelimit-reset", "")
    seconds = 0.0
    if wait.isdecimal():
        seconds = float(wait)
    elif headers.get("x-ratelimit-remaining") == "0" and reset.isdecimal():
        seconds = max(1.0, float(reset) - now)
    remedy = f"run again in {seconds:.0f} s" if seconds else "run again later"
    found = RateLimited(words, remedy=remedy)
    found.wait = seconds
    return found


def _of_graphql(error: Mapping[str, Any], what: str) -> ArgosyError:
    kind, said = str(error.get("type", "")), str(error.get("message", ""))
    words = f"{what}: {said}"
    if kind == "STALE_DATA":
        return PushRejected(words, remedy="run again: it starts from theirs")
    if kind == "BRANCH_PROTECTION_RULE_VIOLATION" or "rule violations" in said:
        return PushRefused(words, remedy="let the token bypass the rules of that branch, or set mode: pull-request")
    if kind == "RATE_LIMITED":
        return RateLimited(words, remedy="run again later")
    if said.startswith("Something went wrong"):
        return Unwell(words, remedy="try again later; see whether GitHub says that it is ill")
    return Terminal(words, remedy=_REMEDIES[404] if kind == "NOT_FOUND" else _OTHER)


def _said(data: Mapping[str, Any]) -> str:
    """GitHub's own words; what fails validation stands in a list of its own."""
    errors = [each for each in data.get("errors") or () if isinstance(each, Mapping)]
    details = [str(each.get("message") or f"{each.get('field')}: {each.get('code')}") for each in errors]
    return "; ".join([str(data.get("message") or ""), *details]).strip("; ")
