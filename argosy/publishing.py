"""The tags of an image: which a release gives it, and which move with what is deployed."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from argosy.base_images import Client
from argosy.environment import Environment
from argosy.errors import Terminal
from argosy.models import ImageReference, Service
from argosy.registry import Manifest, Registry, is_tag
from argosy.standing import Presence, Situation
from argosy.trailers import long_tag

LATEST = "latest"
_CONCURRENT = 8


def presence(client: Client, environment: Environment, situation: Situation) -> dict[str, Presence]:
    """What its registry has of each service that can be planned; `client` opens one by its host. Asked concurrently."""
    services = [service for service in environment.services if service.name not in situation.failures]
    hosts = sorted({environment.registry(service).host for service in services})

    def ask(service: Service) -> Presence:
        registry = registries[environment.registry(service).host]
        name, current = service.ecr_repository, situation.released[service.name].reference
        has_content = registry.digest_of(name, situation.desired[service.name].tag) is not None
        # A tag that no registry takes is somebody's slip, which must not hide what there is to say of the others.
        ours = current.repository == environment.repository(service) and is_tag(current.tag)
        return Presence(has_content, ours and registry.digest_of(name, current.tag) is not None)

    with ExitStack() as opened, ThreadPoolExecutor(_CONCURRENT) as pool:
        registries = {host: opened.enter_context(client(host)) for host in hosts}
        found = pool.map(ask, services)
        return {service.name: item for service, item in zip(services, found, strict=True)}


def tag_release(registry: Registry, image: ImageReference, manifest: Manifest) -> ImageReference:
    """Give `manifest` the release's tag, that of `image`, and return the reference that names it then.

    Where that tag names another manifest already it stays as it is, and the long form is used. Raises Terminal where
    that is taken too.
    """
    long = image.tagged(long_tag(image.tag, manifest.digest))
    for reference in (image, long):
        standing = registry.digest_of(reference.name, reference.tag)
        if standing is None:
            registry.tag(reference.name, manifest, reference.tag)
            # Another environment may release the same commit with other arguments at this moment.
            standing = registry.digest_of(reference.name, reference.tag)
        if standing == manifest.digest:
            return reference
    raise Terminal(f"{image} and {long.tag} both name other images", remedy=f"delete the tag {long.tag}, and run again")


def move(registry: Registry, image: ImageReference, tags: Iterable[str]) -> tuple[str, ...]:
    """Point each of `tags` at the manifest that `image` names, and return those that pointed elsewhere."""
    digest = registry.digest_of(image.name, image.tag)
    if digest is None:
        return ()
    moving = tuple(tag for tag in tags if registry.digest_of(image.name, tag) != digest)
    if moving:
        manifest = registry.manifest(image.name, digest)
        for tag in moving:
            registry.tag(image.name, manifest, tag)
    return moving


def deployed(environment: str) -> str:
    """The tag on what the environment's chart carries; no lifecycle rule expires it."""
    return f"deployed-{environment}"


def previous(environment: str) -> str:
    """The tag on the last verified release before that one; no lifecycle rule expires it."""
    return f"previous-{environment}"
