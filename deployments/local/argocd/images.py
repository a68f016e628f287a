"""Pulling an image as a node would: the manifest by tag, then everything by digest, each checked."""

from __future__ import annotations

import hashlib
from typing import Any

import httpx

from argosy.models import ImageReference
from deployments.local.argocd.repository import Login

_INDEXES = ("application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json")
_MANIFESTS = ("application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json")
_ACCEPT = {"Accept": ", ".join((*_INDEXES, *_MANIFESTS))}


class PullFailed(Exception):
    """An image could not be had; the message is the one a container runtime would give."""


class Puller:
    """Fetches images from the registry at `host` and those that are added; no other can be reached from here."""

    def __init__(self, host: str, login: Login | None = None) -> None:
        self._clients: dict[str, httpx.AsyncClient] = {}
        self.add(host, login)

    def add(self, host: str, login: Login | None = None) -> None:
        """Let images be had from the registry at `host` too, as a cluster with one more pull secret."""
        headers = {"Authorization": login.header.get_secret_value()} if login else {}
        self._clients[host] = httpx.AsyncClient(base_url=f"http://{host}", headers=headers, trust_env=False, timeout=10)

    async def close(self) -> None:
        """Close the connections."""
        for client in self._clients.values():
            await client.aclose()

    async def pull(self, image: str) -> str:
        """Fetch the manifest and the configuration of `image` and return the manifest's digest. Raises PullFailed."""
        reference = _parsed(image)
        client = self._clients.get(reference.host)
        if client is None:
            raise PullFailed(f'failed to resolve reference "{image}": dial tcp: lookup {reference.host}: no such host')
        try:
            return await _pull(client, reference)
        except (httpx.RequestError, httpx.InvalidURL, ValueError) as error:
            raise PullFailed(f'failed to do request for "{image}": {type(error).__name__}') from error


async def _pull(client: httpx.AsyncClient, reference: ImageReference) -> str:
    path = f"/v2/{reference.name}/manifests/"
    head = await client.head(path + reference.tag, headers=_ACCEPT)
    _check(head, str(reference))
    digest = head.headers.get("Docker-Content-Digest", "")
    manifest = await _manifest(client, path, digest)
    if "manifests" in manifest:
        manifest = await _manifest(client, path, _platform(manifest, str(reference)))
    await _verified(client, f"/v2/{reference.name}/blobs/", str(manifest.get("config", {}).get("digest")))
    return str(digest)


async def _manifest(client: httpx.AsyncClient, path: str, digest: str) -> dict[str, Any]:
    document = (await _verified(client, path, digest)).json()
    return document if isinstance(document, dict) else {}


async def _verified(client: httpx.AsyncClient, path: str, digest: str) -> httpx.Response:
    answer = await client.get(path + digest, headers=_ACCEPT if "/manifests/" in path else {})
    _check(answer, digest)
    if f"sha256:{hashlib.sha256(answer.content).hexdigest()}" != digest:
        raise PullFailed(f"failed to verify {digest}: the registry sent something else")
    return answer


def _parsed(image: str) -> ImageReference:
    repository, colon, tag = image.rpartition(":")
    if not colon or "/" in tag:
        return ImageReference(image, "latest")
    return ImageReference(repository, tag)


def _platform(index: dict[str, Any], image: str) -> str:
    for entry in index["manifests"]:
        if entry.get("platform", {}).get("os") == "linux":
            return str(entry["digest"])
    raise PullFailed(f'no match for platform in manifest of "{image}"')


def _check(answer: httpx.Response, what: str) -> None:
    if answer.status_code == httpx.codes.NOT_FOUND:
        raise PullFailed(f"{what}: not found")
    if not answer.is_success:
        raise PullFailed(f"{what}: unexpected status from the registry: {answer.status_code}")
