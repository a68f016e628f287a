"""The tags that move: `latest` to what was released, `deployed-*` and `previous-*` to what the charts carry."""

from __future__ import annotations

import logging

from argosy import publishing, state
from argosy.registry_clients import Clients
from tasks.policy import stage
from tasks.workspace import Workspace

logger = logging.getLogger("argosy.tasks")


@stage("move tags", run_name="move tags {environment}")
def move_tags(repository: str, environment: str, source_sha: str, released: tuple[str, ...]) -> dict[str, list[str]]:
    """Point every moving tag at where it belongs now, and return those that moved, by service."""
    work = Workspace.open(repository, environment, source_sha)
    git, described = work.mirror.git, work.environment
    work.mirror.update()
    head = work.mirror.branch(described.target_branch)
    # One that cannot be read has no image to point at, and keeps no other's tags from moving.
    carried = state.Reader.open(git, described, head).read_all(described.services).released
    moved: dict[str, list[str]] = {}
    with Clients(work.client) as clients:
        for service in described.services:
            now = carried.get(service.name)
            if now is None or now.reference.repository != described.repository(service):
                continue
            registry = clients.at(now.reference.host)
            tags = [publishing.deployed(environment), *([publishing.LATEST] if service.name in released else [])]
            moved[service.name] = list(publishing.move(registry, now.reference, tags))
            if now.previous and now.previous.repository == now.reference.repository:
                moved[service.name] += publishing.move(registry, now.previous, [publishing.previous(environment)])
    return moved
