"""The tags that move: `latest` to what was released, `deployed-*` and `previous-*` to what the charts carry."""

from __future__ import annotations

import logging

from argosy import state
from argosy.environment import Environment
from argosy.errors import CircuitOpen, Unwell
from argosy.models import ImageReference, Service
from argosy.registries import publishing
from argosy.registries.clients import Clients
from argosy.registries.registry import Registry
from argosy.state import Released
from tasks.policy import stage
from tasks.workspace import Workspace

logger = logging.getLogger("argosy.tasks")


@stage("move tags", run_name="move tags {environment}")
def move_tags(repository: str, environment: str, source_sha: str, released: tuple[str, ...]) -> dict[str, list[str]]:
    """Point every moving tag at where it belongs now, and return those that moved, by service.

    Where releases wait for a merge, `latest` moves with what the charts carry, as soon as a run sees it there.
    """
    work = Workspace.open(repository, environment, source_sha)
    git, described = work.mirror.git, work.environment
    work.mirror.update()
    head = work.mirror.branch(described.target_branch)
    # One that cannot be read has no image to point at, and keeps no other's tags from moving.
    carried = state.Reader.open(git, described, head, work.source_tip).read_all(described.services).released
    moved: dict[str, list[str]] = {}
    with Clients(work.client) as clients:
        for service in described.services:
            now = carried.get(service.name)
            if now is None or not _ours(described, service, now.reference):
                continue
            tags = [publishing.deployed(environment), *([publishing.LATEST] if service.name in released else [])]
            try:
                registry = clients.at(now.reference.host)
                moved[service.name] = _move(registry, now, tags, publishing.previous(environment))
                if described.may_propose and now.record and tags[0] in moved[service.name]:
                    # Merged since the last run, which could not know when.
                    moved[service.name] += publishing.move(registry, now.reference, [publishing.LATEST])
            except (CircuitOpen, Unwell) as error:
                if described.stand_in(service) is None:
                    raise
                logger.warning("the tags of %s stay where they are until the next run: %s", service.name, error)
    return moved


def _ours(environment: Environment, service: Service, reference: ImageReference) -> bool:
    """Whether the image is where a release puts it: at home, or where one stands in."""
    home = reference.repository == environment.repository(service)
    return home or environment.in_stand_in(service, reference)


def _move(registry: Registry, now: Released, tags: list[str], previous: str) -> list[str]:
    moved = list(publishing.move(registry, now.reference, tags))
    if now.previous and now.previous.repository == now.reference.repository:
        moved += publishing.move(registry, now.previous, [previous])
    return moved
