"""Before the third stage: the registry as a whole is told what `argosy.yaml` says of it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from argosy import ecr, ecr_registry
from argosy.infrastructure import ECRRegistry
from argosy.registry_targets import RegistryTarget
from blocks.container_registry import ecr_client
from tasks.policy import stage
from tasks.workspace import Workspace

if TYPE_CHECKING:
    from mypy_boto3_ecr.client import ECRClient

logger = logging.getLogger("argosy.tasks")


@stage("ensure registry", run_name="ensure registry of {environment}")
def ensure_registry(repository: str, environment: str, source_sha: str) -> tuple[str, ...]:
    """Bring replication, scanning and pull-time exclusions of every registry to what is configured; what was done."""
    work = Workspace.open(repository, environment, source_sha)
    wanted = work.environment.ecr.registry
    if wanted is None:
        return ()
    ours = [target for target in work.environment.used_registries if target.type == "ecr"]
    return tuple(difference for target in ours for difference in _told(ecr_client(work.aws(target)), target, wanted))


def _told(client: ECRClient, target: RegistryTarget, wanted: ECRRegistry) -> tuple[str, ...]:
    try:
        done = ecr_registry.ensure_registry(client, wanted)
    except (ClientError, BotoCoreError) as error:
        raise ecr.translate(error, f"configuring the registry in {target.region}") from error
    for difference in done:
        logger.info("the registry in %s: %s", target.region, difference)
    return done
