"""The external images that Dockerfiles name, looked up: which digest each of their tags has now."""

from __future__ import annotations

import re
from collections.abc import Iterable

from argosy.errors import Terminal
from argosy.inputs.digests import Digests
from argosy.inputs.snapshot import Snapshot
from argosy.models import Service
from argosy.processes.side_by_side import answers
from argosy.registries.clients import Client

# As docker reads a reference: its first part is a host when it has a dot or a port, or is localhost.
_HOST = re.compile(r"(?P<host>[^/]*[.:][^/]*|localhost)/(?P<rest>.+)")
_TAG = re.compile(r"(?P<name>.+?)(?::(?P<tag>[^:/]+))?")
_HUB, _HUB_HOST = "docker.io", "registry-1.docker.io"


def looked_up(digests: Digests, commit: str, client: Client) -> Digests:
    """The same digests, with those of the base images of the services at `commit` that want them; see `look_up`."""
    environment = digests.environment
    if not any(service.build_context.resolve for service in environment.services):
        return digests
    references = named(digests.snapshot(commit), environment.services)
    return Digests(digests.git, environment, look_up(references, client))


def named(snapshot: Snapshot, services: Iterable[Service]) -> frozenset[str]:
    """The references to look up for those of `services` that want it; what a digest pins already is none."""
    found: set[str] = set()
    for service in services:
        if service.build_context.resolve:
            try:
                found |= {image.reference for image in snapshot.inputs(service).images}
            except Terminal:  # its plan says so
                continue
    return frozenset(reference for reference in found if "@" not in reference)


def look_up(references: Iterable[str], client: Client) -> dict[str, str]:
    """The digest that each reference names now, without those that no registry has; asked concurrently.

    `client` opens a registry by its host. Raises Transient where one cannot be reached, Terminal where it refuses.
    """
    asked = sorted(set(references))
    found = dict(zip(asked, answers(lambda reference: _digest(reference, client), asked), strict=True))
    return {reference: digest for reference, digest in found.items() if digest}


def _digest(reference: str, client: Client) -> str | None:
    host, name, tag = parts(reference)
    with client(host) as registry:
        return registry.digest_of(name, tag)


def parts(reference: str) -> tuple[str, str, str]:
    """The registry's host, the repository's name in it and the tag that `reference` means."""
    match = _HOST.fullmatch(reference)
    host, rest = (match["host"], match["rest"]) if match else (_HUB, reference)
    tagged = _TAG.fullmatch(rest)
    name, tag = (tagged["name"], tagged["tag"] or "latest") if tagged else (rest, "latest")
    if host in {_HUB, "index.docker.io"}:
        return _HUB_HOST, name if "/" in name else f"library/{name}", tag
    return host, name, tag


def pinned(reference: str, digest: str) -> str:
    """The reference by its digest, as a builder takes it in place of the other."""
    return f"docker-image://{_without_tag(reference)}@{digest}"


def _without_tag(reference: str) -> str:
    folder, slash, last = reference.rpartition("/")
    return f"{folder}{slash}{last.partition(':')[0]}"
