"""What a failed build means: whether trying again may help, and which step said what."""

from __future__ import annotations

import re

from argosy.errors import Terminal, Transient

_LINES = 10
_MESSAGE = 2000

_STEP = re.compile(r"^------\n > (?P<title>.*?):\n(?P<output>.*?)^------$", re.MULTILINE | re.DOTALL)
_ERROR = re.compile(r"^(?:ERROR|error): (?P<cause>.*)$", re.MULTILINE)
_PREFIX = re.compile(r"^(?:failed to build: )?(?:failed to solve: )?")
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
# A step's own output says "connection refused" of its tests too: only what a program cannot mean otherwise.
_NETWORK_IN_STEP = re.compile(
    r"temporary failure (?:in name resolution|resolving)|could not resolve host|TLS handshake timeout|i/o timeout|"
    r"EAI_AGAIN|Could not connect to [^\n]*(?:timed out|unreachable)",
    re.IGNORECASE,
)
_RESOURCES = re.compile(
    r"no space left on device|cannot allocate memory|out of memory|OOMKilled|exit code: 137|disk quota exceeded",
    re.IGNORECASE,
)
_NO_BUILDX = re.compile(
    r"unknown flag: --push|unknown command: docker buildx|'buildx' is not a docker command|buildx component is missing"
)
# buildx asks an engine without BuildKit to run it in a container, which takes an image that few engines may fetch.
_BOOTING = "[internal] booting buildkit"
# The image store of an engine has one writer a name: the other one of two runs that build the same is told this.
_RACED = re.compile(r'^image "[^"\n]+": already exists$')
_NO_ENGINE = re.compile(r"Cannot connect to the Docker daemon|error during connect")
_ENGINE_DENIED = re.compile(r"permission denied while trying to connect to the Docker", re.IGNORECASE)
_ENGINE_TLS = re.compile(r"error during connect: .*(?:x509: |remote error: tls: )")


def classify(log: str, service: str | None = None) -> Terminal | Transient:
    """The error that the `log` of a failed `docker buildx build` tells of.

    Transient is what network, registry or a lack of resources did; Terminal a step that failed, a mistake in the
    Dockerfile, a refused login. The message has the last lines of the step that failed.
    """
    cause = _cause(log)
    step = _STEP.search(log)
    booting = step is not None and step["title"] == _BOOTING
    if booting or _NO_BUILDX.search(log):
        return _without_buildkit(cause, service) if booting else missing_buildx(service)
    if exit_code := _EXIT.search(cause):
        return _failed_step(exit_code[1], step, cause, service)
    message = (f"{_quoted(step)}: {cause}" if step else cause)[:_MESSAGE]
    return (
        engine(message, service)
        or _passing(cause, message, service)
        or _at_registry(cause, message, service)
        or Terminal(message, service=service, remedy="mend the Dockerfile or the build settings in argosy.yaml")
    )


def engine(said: str, service: str | None = None) -> Terminal | Transient | None:
    """The error of a docker client that was not let through to its engine; None where it `said` something else."""
    if _ENGINE_DENIED.search(said):
        return Terminal(said, service=service, remedy="let this user use the engine: add it to the docker group")
    if _ENGINE_TLS.search(said):
        remedy = (
            "put the CA that signed the engine's certificate into DOCKER_CERT_PATH as ca.pem, "
            "beside a cert.pem and key.pem that the engine accepts"
        )
        return Terminal(said, service=service, remedy=remedy)
    if _NO_ENGINE.search(said):
        return Transient(said, service=service, remedy="see that the Docker Engine runs, and DOCKER_HOST")
    return None


def _passing(cause: str, message: str, service: str | None) -> Transient | None:
    """The error of a cause that is of the engine's own making, and passes."""
    if _RESOURCES.search(cause):
        return Transient(message, service=service, remedy="give the builder more memory or disk")
    if _EXPIRED.search(cause):
        return Transient(message, service=service, remedy="a new attempt asks for a new token")
    if _RACED.search(cause):
        return Transient(message, service=service, remedy="another run built the same: a new attempt finds its image")
    return None


def _at_registry(cause: str, message: str, service: str | None) -> Terminal | Transient | None:
    """The error of a cause that lies with a registry, or the way to it."""
    if _UNTRUSTED.search(cause):
        remedy = "give the Docker Engine the CA that signed it, as /etc/docker/certs.d/HOST:PORT/ca.crt on its machine"
        return Terminal(message, service=service, remedy=remedy)
    if _PLAIN.search(cause):
        remedy = "serve the registry over TLS, or name it in the Docker Engine's insecure-registries"
        return Terminal(message, service=service, remedy=remedy)
    if _DENIED.search(cause):
        pushing = "let these credentials push to that repository"
        pulling = "let these credentials pull that image, or begin FROM one that anybody may pull"
        return Terminal(message, service=service, remedy=pushing if _PUSH.search(cause) else pulling)
    if _NOT_LET_IN.search(cause):
        return Terminal(message, service=service, remedy="check the user and password of the registry's credentials")
    if _PUSH.search(cause) and _UNKNOWN.search(cause):
        remedy = "create the repository in the registry, or correct registry.repository in argosy.yaml"
        return Terminal(message, service=service, remedy=remedy)
    if _NETWORK.search(cause):
        return Transient(message, service=service, remedy="check the network and the registry")
    return None


def missing_buildx(service: str | None = None) -> Terminal:
    """The error of a worker that has no docker client with buildx."""
    return Terminal(
        "there is no docker client with the buildx plugin",
        service=service,
        remedy="install docker-cli and docker-buildx (docker-buildx-plugin) where the worker runs",
    )


def _without_buildkit(cause: str, service: str | None) -> Terminal:
    return Terminal(
        f"the engine has no BuildKit, and none could be started in a container: {cause}"[:_MESSAGE],
        service=service,
        remedy="use Docker Engine 23 or newer, or let this engine fetch moby/buildkit",
    )


def _cause(log: str) -> str:
    errors = _ERROR.findall(log)
    if errors:
        return _PREFIX.sub("", errors[-1].strip())
    return _last_lines(log) or "the build ended without a word"


def _failed_step(exit_code: str, step: re.Match[str] | None, cause: str, service: str | None) -> Terminal | Transient:
    output = step["output"] if step else ""
    said = f": {_last_lines(output)}" if output.strip() else ""
    message = f"{_quoted(step) if step else cause} failed with {exit_code}{said}"[:_MESSAGE]
    if _RESOURCES.search(f"{exit_code}\n{output}"):
        return Transient(message, service=service, remedy="give the builder more memory or disk")
    if _NETWORK_IN_STEP.search(output):
        return Transient(message, service=service, remedy="check the network that the build's steps use")
    return Terminal(message, service=service, remedy="mend the step or what it runs; the build log has all of it")


def _quoted(step: re.Match[str]) -> str:
    return f"step {step['title']!r}"


def _last_lines(text: str) -> str:
    # BuildKit starts each line with the seconds since the step began.
    lines = [re.sub(r"^\d+\.\d+ ", "", line).rstrip() for line in text.splitlines()]
    return " | ".join([line for line in lines if line][-_LINES:])
