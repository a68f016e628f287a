"""The third stage: the repository of an image exists and is configured as it should be."""

from __future__ import annotations

import logging

from botocore.exceptions import BotoCoreError, ClientError

from argosy import ecr
from argosy.infrastructure import ECRRepository
from argosy.models import ServicePlan
from blocks.container_registry import ecr_client
from tasks.policy import stage
from tasks.workspace import Workspace

logger = logging.getLogger("argosy.tasks")


@stage("ensure repository", run_name="ensure repository {item.name}", service="item")
def ensure_repository(repository: str, environment: str, source_sha: str, item: ServicePlan) -> ServicePlan:
    """Create or mend the service's repository where the registry is ECR; others make theirs at the first push."""
    work = Workspace.open(repository, environment, source_sha)
    target = work.environment.registry(item.service)
    if target.type != "ecr" or target.region is None:
        return item
    wanted = ECRRepository(
        name=item.service.ecr_repository, region=target.region, lifecycle_policy=ecr.DEFAULT_LIFECYCLE_POLICY
    )
    try:
        _, mended = ecr.ensure_repository(ecr_client(work.aws(target)), wanted)
    except (ClientError, BotoCoreError) as error:
        raise ecr.translate(error, f"configuring the repository {wanted.name}") from error
    for difference in mended:
        logger.info("%s: %s", wanted.name, difference)
    return item
