"""The registry of the tests, the AWS account that it belongs to, and images in it that nobody had to build."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deployments.local.aws import Aws
from deployments.local.bridge import Bridge
from deployments.local.ports import Port
from deployments.local.registry import Registry, binary
from tests.deployments import images


@dataclass(frozen=True, slots=True)
class Cloud:
    """A registry, the AWS account that it belongs to, and the bridge between them."""

    aws: Aws
    registry: Registry
    bridge: Bridge

    @classmethod
    @contextmanager
    def started(cls, state: Path, packages: Path) -> Iterator[Cloud]:
        """A cloud that keeps its files in `state`, for the length of a `with`."""
        port = Port()
        with Aws(state=state) as aws:
            password = aws.registry_password()
            with Bridge(aws, port.host, password, state=state) as bridge:
                registry = Registry(binary(packages), password, state=state, port=port, notify=bridge.url)
                with registry:
                    yield cls(aws, registry, bridge)

    def push(self, repository: str, text: str, *tags: str) -> str:
        """Push an image that differs by `text` under each tag, and return its digest."""
        with images.client(self.registry) as http:
            return images.put(http, repository, images.manifest(http, repository, text), *tags)

    def digest(self, repository: str, tag: str) -> str | None:
        """The digest that `tag` points at; None where there is no such tag."""
        with images.client(self.registry) as http:
            accept = {"Accept": f"{images.MANIFEST}, {images.INDEX}"}
            found: str | None = http.head(f"/v2/{repository}/manifests/{tag}", headers=accept).headers.get(
                "Docker-Content-Digest"
            )
            return found

    def delete(self, repository: str, digest: str) -> None:
        """Delete the manifest, and every tag on it."""
        with images.client(self.registry) as http:
            http.delete(f"/v2/{repository}/manifests/{digest}").raise_for_status()
