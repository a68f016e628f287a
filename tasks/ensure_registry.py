"""Before the third stage: the registry as a whole is told what `argosy.yaml` says of it."""

from __future__ import annotations

import logging

from botocore.exceptions import BotoCoreError, ClientError

from argosy.ecr import control_plane as ecr
from argosy.ecr import registry as ecr_registry
from blocks.container_registry import ecr_client
from tasks.policy import stage
from tasks.workspace import Workspace

logger = logging.getLogger("argosy.tasks")


@stage("ensure registry", run_name="ensure registry of {environment}")
def ensure_registry(repository: str, environment: str, source_sha: str) -> tuple[str, ...]:
    """Bring replication, scanning and pull-time exclusions to what is configured, and return what was done."""
    work = Workspace.open(repository, environment, source_sha)
    wanted = work.environment.ecr.registry
    if wanted is None:
        return ()
    try:
        done = ecr_registry.ensure_registry(ecr_client(work.aws(work.environment.registries[None])), wanted)
    except (ClientError, BotoCoreError) as error:
        raise ecr.translate(error, f"configuring the registry in {wanted.region}") from error
    for difference in done:
        logger.info("the registry in %s: %s", wanted.region, difference)
    return done
