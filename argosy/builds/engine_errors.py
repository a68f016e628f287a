"""What it means that a docker client does not get its engine to build."""

from __future__ import annotations

import re

from argosy.builds.category import Category
from argosy.errors import Terminal, Transient

_MESSAGE = 2000

_NO_ENGINE = re.compile(r"Cannot connect to the Docker daemon|error during connect")
_ENGINE_DENIED = re.compile(r"permission denied while trying to connect to the Docker", re.IGNORECASE)
_ENGINE_TLS = re.compile(r"error during connect: .*(?:x509: |remote error: tls: )")
_NO_BUILDX = re.compile(
    r"unknown flag: --push|unknown command: docker buildx|'buildx' is not a docker command|buildx component is missing"
)
# buildx asks an engine without BuildKit to run it in a container, which takes an image that few engines may fetch.
_BOOTING = "[internal] booting buildkit"


def engine(said: str, service: str | None = None) -> Terminal | Transient | None:
    """The error of a docker client that was not let through to its engine; None where it `said` something else."""
    if _ENGINE_DENIED.search(said):
        return _refused(said, service, "let this user use the engine: add it to the docker group")
    if _ENGINE_TLS.search(said):
        remedy = (
            "put the CA that signed the engine's certificate into DOCKER_CERT_PATH as ca.pem, "
            "beside a cert.pem and key.pem that the engine accepts"
        )
        return _refused(said, service, remedy)
    if _NO_ENGINE.search(said):
        return Transient(
            said,
            service=service,
            remedy="see that the Docker Engine runs, and DOCKER_HOST",
            category=Category.NETWORK,
        )
    return None


def without_buildkit(log: str, step: str | None, cause: str, service: str | None = None) -> Terminal | None:
    """The error of a client or an engine that cannot build this way; None where the failed `step` is another one."""
    if step == _BOOTING:
        return _refused(
            f"the engine has no BuildKit, and none could be started in a container: {cause}"[:_MESSAGE],
            service,
            "use Docker Engine 23 or newer, or let this engine fetch moby/buildkit",
        )
    return missing_buildx(service) if _NO_BUILDX.search(log) else None


def missing_buildx(service: str | None = None) -> Terminal:
    """The error of a worker that has no docker client with buildx."""
    return _refused(
        "there is no docker client with the buildx plugin",
        service,
        "install docker-cli and docker-buildx (docker-buildx-plugin) where the worker runs",
    )


def _refused(message: str, service: str | None, remedy: str) -> Terminal:
    return Terminal(message, service=service, remedy=remedy, category=Category.DOCKER)
