"""What a registry's refusals and silences mean: try again, or what to do instead."""

from __future__ import annotations

import ssl

import httpx

from argosy.errors import ArgosyError, Terminal, Transient, Unwell

_LONGEST = 300
_SERVERS_OWN = 500
_REMEDIES = {
    401: "check the user and password of the registry's credentials; those of Amazon ECR last 12 hours",
    403: "let these credentials pull from and push to the repository; those of Amazon ECR last 12 hours",
    404: "check the name in argosy.yaml, and that the repository and the image exist in this registry",
}
_OTHER = "see what the registry logged; a tag of an immutable repository cannot be moved"


def fault(response: httpx.Response, what: str) -> ArgosyError:
    """The error that stands for an answer that is no success.

    Unwell for 5xx, Transient for 408 and 429, else Terminal.
    """
    status = response.status_code
    message = f"{what}: {status} {response.reason_phrase}".rstrip()
    details = _details(response)
    message += f": {details}" if details else ""
    if passing(status):
        wait = response.headers.get("retry-after", "")
        remedy = f"try again after {wait} s" if wait.isdecimal() else "try again later"
        return (Unwell if status >= _SERVERS_OWN else Transient)(message, remedy=remedy)
    return Terminal(message, remedy=_REMEDIES.get(status, _OTHER))


def passing(status: int) -> bool:
    """Whether an answer of this status may be another one later."""
    return status in {408, 429} or status >= _SERVERS_OWN


def unreachable(error: httpx.RequestError, what: str) -> ArgosyError:
    """The error that stands for no answer: Terminal where the certificate is not trusted, else Unwell."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            remedy = "name the CA that signed its certificate in SSL_CERT_FILE, where Argosy runs"
            return Terminal(f"{what}: {cause.verify_message}", remedy=remedy)
        cause = cause.__cause__ or cause.__context__
    return Unwell(f"{what}: {str(error) or type(error).__name__}", remedy="check the network and the address")


def _details(response: httpx.Response) -> str:
    """The code and message of each of the errors in the registry's JSON, or nothing."""
    try:
        errors = response.json()["errors"]
        said = "; ".join(f"{error['code']}: {error.get('message', '')}" for error in errors)
    except (ValueError, TypeError, KeyError, AttributeError):
        return ""
    return "".join(letter if letter.isprintable() else " " for letter in said[:_LONGEST])
