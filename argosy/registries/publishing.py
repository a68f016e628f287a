"""The tags of an image: which a release gives it, and which move with what is deployed."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import replace

from argosy.environment import Environment
from argosy.errors import CircuitOpen, Terminal, Unwell
from argosy.models import ImageReference, Service
from argosy.processes.side_by_side import answers
from argosy.registries.clients import Client, Clients
from argosy.registries.registry import Manifest, Registry, TagTaken, is_tag
from argosy.registries.targets import RegistryTarget
from argosy.standing import Presence, Situation
from argosy.trailers import long_tag

log = logging.getLogger(__name__)

LATEST = "latest"


def presence(client: Client, environment: Environment, situation: Situation) -> dict[str, Presence]:
    """What the registries have of each service that can be planned, as far as it matters to its plan.

    `client` opens one by its host; services are asked for concurrently. One whose content is another has its current
    image looked up by nobody, and one whose current image is right and there needs no other. Where a registry is ill
    the one that stands in for it is asked; raises Transient or CircuitOpen where there is none.
    """
    services = [service for service in environment.services if service.name not in situation.failures]

    def ask(service: Service) -> Presence:
        stand_in = environment.stand_in(service)
        try:
            return _seen(clients, situation, service, environment.registry(service))
        except (Unwell, CircuitOpen) as error:
            if stand_in is None:
                raise
            log.warning("%s: %s is asked instead: %s", service.name, stand_in.host, error)
            return replace(_seen(clients, situation, service, stand_in), away=True)

    with Clients(client) as clients:
        return {service.name: item for service, item in zip(services, answers(ask, services), strict=True)}


def _seen(clients: Clients, situation: Situation, service: Service, target: RegistryTarget) -> Presence:
    registry, name = clients.at(target.host), target.repository_of(service.name)
    compared, current = situation.compared.get(service.name), situation.released[service.name].reference
    # Its chart names an image of its content there: then that has to be there, and no other.
    if compared and compared.same and current.repository == f"{target.host}/{name}":
        # A tag that no registry takes is somebody's slip, which must not hide what there is to say of the others.
        if is_tag(current.tag) and registry.digest_of(name, current.tag) is not None:
            return Presence(content=True, current=True)
        return Presence(content=_has(registry, name, situation, service), current=False)
    return Presence(content=_has(registry, name, situation, service), current=True)


def _has(registry: Registry, name: str, situation: Situation, service: Service) -> bool:
    # It is read, and not only asked for: whoever reuses it needs its bytes, and the client keeps them.
    return registry.find(name, situation.desired[service.name].tag) is not None


def tag_release(
    registry: Registry, image: ImageReference, manifest: Manifest, *, contested: bool = False
) -> ImageReference:
    """Give `manifest` the release's tag, that of `image`, and return the reference that names it then.

    Where that tag names another manifest already it stays as it is, and the long form is used. Where the tag is
    `contested`, another environment may release the same commit with other arguments at this moment: it is looked at
    once more afterwards. Raises Terminal where the long form is taken too.
    """
    long = image.tagged(long_tag(image.tag, manifest.digest))
    for reference in (image, long):
        standing = registry.digest_of(reference.name, reference.tag)
        if standing is None:
            standing = _tagged(registry, reference, manifest)
            if contested and standing is not None:
                standing = registry.digest_of(reference.name, reference.tag)
        if standing == manifest.digest:
            return reference
    raise Terminal(f"{image} and {long.tag} both name other images", remedy=f"delete the tag {long.tag}, and run again")


def _tagged(registry: Registry, reference: ImageReference, manifest: Manifest) -> str | None:
    """The digest that the tag names now; None where an immutable repository had another one under it meanwhile."""
    try:
        registry.tag(reference.name, manifest, reference.tag)
    except TagTaken:
        return None
    return manifest.digest


def move(registry: Registry, image: ImageReference, tags: Iterable[str]) -> tuple[str, ...]:
    """Point each of `tags` at the manifest that `image` names, and return those that pointed elsewhere."""
    known = registry.known(image.name, image.tag)  # where this run has released it
    digest = known.digest if known else registry.digest_of(image.name, image.tag)
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
