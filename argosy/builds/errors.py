"""What a failed build means: of which kind it is, whether trying again may help, and which step said what."""

from __future__ import annotations

import re
from collections.abc import Sequence

from argosy.builds.category import Category
from argosy.builds.engine_errors import engine, without_buildkit
from argosy.builds.output import BuildOutput, FailedStep
from argosy.builds.step_faults import off_the_network, out_of_resources, unresolved
from argosy.errors import Terminal, Transient

_LINES = 10
_LINE = 240
_MESSAGE = 2000

_EXIT = re.compile(r"did not complete successfully: (exit code: \d+|.*)")
_EXPIRED = re.compile(r"token has expired", re.IGNORECASE)
_UNTRUSTED = re.compile(r"x509: ")
_PLAIN = re.compile(r"server gave HTTP response to HTTPS client|first record does not look like a TLS handshake")
_PUSH = re.compile(r"^failed to push ")
_UNKNOWN = re.compile(r"\b404 Not Found|\bname unknown\b|\bNAME_UNKNOWN\b", re.IGNORECASE)
_DENIED = re.compile(r"\b403 forbidden|access denied|\bdenied:|insufficient_scope", re.IGNORECASE)
_NOT_LET_IN = re.compile(
    r"\b401 unauthorized|unauthorized|authentication required|no basic auth credentials|authorization failed",
    re.IGNORECASE,
)
# Go's words and those of C libraries, as engine, buildx and registries print them.
_NETWORK = re.compile(
    r"connection refused|connection reset|broken pipe|i/o timeout|TLS handshake timeout|unexpected EOF|: EOF$|"
    r"context deadline exceeded|Client\.Timeout|network is unreachable|no route to host|no such host|"
    r"temporary failure in name resolution|server misbehaving|toomanyrequests|"
    r"\b(?:429 Too Many Requests|5\d\d (?:Internal Server Error|Bad Gateway|Service Unavailable|Gateway Timeout))|"
    r"unexpected status(?: code)?[^\n]*\b(?:429|5\d\d)\b|code = Unavailable|closing transport",
    re.IGNORECASE,
)
# The image store of an engine has one writer a name: the other one of two runs that build the same is told this.
_RACED = re.compile(r'^image "[^"\n]+": already exists$')


def classify(log: str, service: str | None = None, dockerfile: str | None = None) -> Terminal | Transient:
    """The error that the `log` of a failed `docker buildx build` tells of, with its category.

    Transient is what network, registry or a lack of resources did; Terminal a step that failed, dependencies that do
    not resolve, a mistake in the Dockerfile, a refused login. The message has the line of the Dockerfile, whose path in
    the repository is `dockerfile`, and the last lines of the step that failed.
    """
    output = BuildOutput.read(log)
    cause, step = output.cause or _last(log.split("\n")) or "the build ended without a word", output.failed
    if unable := without_buildkit(log, step.name if step else None, cause, service):
        return unable
    where = _where(output, dockerfile)
    if exit_code := _EXIT.search(cause):
        return _failed_step(exit_code[1], step, where, cause, service)
    message = f"{where}{_quoted(step)}: {cause}"[:_MESSAGE] if step else f"{where}{cause}"[:_MESSAGE]
    return (
        engine(message, service)
        or _passing(cause, message, service)
        or _at_registry(cause, message, service)
        or _broken(message, service, "mend the Dockerfile or the build settings in argosy.yaml")
    )


def _passing(cause: str, message: str, service: str | None) -> Transient | None:
    """The error of a cause that is of the engine's own making, and passes."""
    if out_of_resources(cause, [cause]):
        return _short_of(message, service, "give the builder more memory or disk")
    if _EXPIRED.search(cause):
        return _cut_off(message, service, "a new attempt asks for a new token")
    if _RACED.search(cause):
        return _short_of(message, service, "another run built the same: a new attempt finds its image")
    return None


def _at_registry(cause: str, message: str, service: str | None) -> Terminal | Transient | None:
    """The error of a cause that lies with a registry, or the way to it."""
    if _UNTRUSTED.search(cause):
        remedy = "give the Docker Engine the CA that signed it, as /etc/docker/certs.d/HOST:PORT/ca.crt on its machine"
        return _broken(message, service, remedy)
    if _PLAIN.search(cause):
        remedy = "serve the registry over TLS, or name it in the Docker Engine's insecure-registries"
        return _broken(message, service, remedy)
    if _DENIED.search(cause):
        pushing = "let these credentials push to that repository"
        pulling = "let these credentials pull that image, or begin FROM one that anybody may pull"
        return _broken(message, service, pushing if _PUSH.search(cause) else pulling)
    if _NOT_LET_IN.search(cause):
        return _broken(message, service, "check the user and password of the registry's credentials")
    if _PUSH.search(cause) and _UNKNOWN.search(cause):
        remedy = "create the repository in the registry, or correct registry.repository in argosy.yaml"
        return _broken(message, service, remedy)
    if _NETWORK.search(cause):
        return _cut_off(message, service, "check the network and the registry")
    return None


def _failed_step(
    exit_code: str, step: FailedStep | None, where: str, cause: str, service: str | None
) -> Terminal | Transient:
    """The error of a program that ran in a step and failed; a lack of network or room goes before what came of it."""
    lines = step.lines if step else ()
    said = f": {_last(lines)}" if lines else ""
    message = f"{where}{_quoted(step) if step else cause} failed with {exit_code}{said}"[:_MESSAGE]
    if out_of_resources(exit_code, lines):
        return _short_of(message, service, "give the builder more memory or disk")
    if off_the_network(lines):
        return _cut_off(message, service, "check the network that the build's steps use")
    if manager := unresolved(lines):
        remedy = f"correct what {manager} is asked for: names and versions that exist and fit, a current lock file"
        return Terminal(message, service=service, remedy=remedy, category=Category.DEPENDENCIES)
    return _broken(message, service, "mend the step or what it runs; the build log has all of it")


def _broken(message: str, service: str | None, remedy: str) -> Terminal:
    return Terminal(message, service=service, remedy=remedy, category=Category.DOCKER)


def _short_of(message: str, service: str | None, remedy: str) -> Transient:
    return Transient(message, service=service, remedy=remedy, category=Category.RESOURCES)


def _cut_off(message: str, service: str | None, remedy: str) -> Transient:
    return Transient(message, service=service, remedy=remedy, category=Category.NETWORK)


def _where(output: BuildOutput, dockerfile: str | None) -> str:
    """The place in the Dockerfile and what stands there; BuildKit names the file as it lies in the context."""
    place = output.place
    return f"{dockerfile or place.file}:{place.number} ({_cut(place.text)}): " if place else ""


def _quoted(step: FailedStep) -> str:
    return f"step {_cut(step.name)!r}"


def _last(lines: Sequence[str]) -> str:
    return " | ".join([_cut(line.rstrip()) for line in lines if line.strip()][-_LINES:])


def _cut(text: str) -> str:
    return text if len(text) <= _LINE else f"{text[: _LINE - 1]}…"
