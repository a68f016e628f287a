"""The third stage: the repository of an image exists and is configured as it should be."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError
from prefect.runtime import flow_run

from argosy import ecr
from argosy.errors import ConfigurationError
from argosy.models import ServicePlan
from argosy.registry_targets import RegistryTarget
from blocks.container_registry import ecr_client
from tasks.policy import stage
from tasks.recent import Recent
from tasks.workspace import Workspace

if TYPE_CHECKING:
    from mypy_boto3_ecr.client import ECRClient
    from mypy_boto3_ecr.type_defs import RepositoryTypeDef

logger = logging.getLogger("argosy.tasks")

# One question for all services of a run. To mend twice what another run mended meanwhile does no harm.
_DESCRIBED = Recent(seconds=60)


@stage("ensure repository", run_name="ensure repository {item.name}", service="item")
def ensure_repository(repository: str, environment: str, source_sha: str, item: ServicePlan) -> ServicePlan:
    """Create or mend the service's repository where the registry is ECR; others make theirs at the first push."""
    work = Workspace.open(repository, environment, source_sha)
    target, name = work.environment.registry(item.service), item.service.ecr_repository
    if target.type != "ecr" or target.region is None:
        return item
    settings = work.environment.ecr
    wanted = settings.repository(name, target.region, item.name, _policy(work, source_sha))
    try:
        client = ecr_client(work.aws(target))
        found = ecr.ensure_repository(client, wanted, _standing(client, work, source_sha, target).get(name))
    except (ClientError, BotoCoreError) as error:
        raise ecr.translate(error, f"configuring the repository {name}") from error
    for difference in found.mended:
        logger.info("%s: %s", name, difference)
    for difference in found.remaining:
        logger.warning("%s: %s", name, difference)
    return item


def _policy(work: Workspace, source_sha: str) -> str | None:
    """The text of the repository policy, where a file has it; raises ConfigurationError where that is missing."""
    path = work.environment.ecr.policy_file
    if path is None:
        return None
    text = work.mirror.git.file(source_sha, path)
    if text is None:
        raise ConfigurationError(
            f"commit {source_sha[:12]} has no {path}, which ecr.policy names", remedy="commit it, or name another file"
        )
    return text.decode(errors="replace")


def _standing(
    client: ECRClient, work: Workspace, source_sha: str, target: RegistryTarget
) -> dict[str, RepositoryTypeDef]:
    """What AWS says of the environment's repositories in that registry, where all are there; asked once a run."""
    services = [each for each in work.environment.services if work.environment.registry(each) == target]
    names = [service.ecr_repository for service in services]
    key = (flow_run.id, work.environment.name, source_sha, target.name)
    return _DESCRIBED.get(key, lambda: ecr.described(client, names)) if flow_run.id else {}
