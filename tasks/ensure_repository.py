"""Before an image is built or tagged: its repository exists and is configured as it should be."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError
from prefect.runtime import flow_run

from argosy.ecr import control_plane as ecr
from argosy.errors import ConfigurationError, Transient
from argosy.models import Service
from argosy.registries.targets import RegistryTarget
from blocks.container_registry import ecr_client
from tasks.recent import Recent
from tasks.workspace import Workspace

if TYPE_CHECKING:
    from mypy_boto3_ecr.client import ECRClient
    from mypy_boto3_ecr.type_defs import RepositoryTypeDef

logger = logging.getLogger("argosy.tasks")

# One question for all services of a run. To mend twice what another run mended meanwhile does no harm.
_DESCRIBED = Recent(seconds=60)


def ensure_home(work: Workspace, source_sha: str, service: Service) -> None:
    """See to the repository that the images of `service` go to.

    It is left as it is where AWS is ill and another registry stands in. Raises as `ensured` does.
    """
    try:
        ensured(work, source_sha, service, work.environment.registry(service))
    except Transient as error:
        if work.environment.stand_in(service) is None:
            raise
        # The registry may be as ill as what configures it: then the image goes to the one that stands in.
        logger.warning("its repository is left as it is: %s", error)


def ensured(work: Workspace, source_sha: str, service: Service, target: RegistryTarget) -> None:
    """See that the service's repository in `target` is there and as configured, where that is ECR.

    Raises Transient or Terminal as AWS answers, ConfigurationError where the file of the repository policy is missing.
    """
    if target.type != "ecr" or target.region is None:
        return
    name = target.repository_of(service.name)
    wanted = work.environment.ecr.repository(name, target.region, service.name, _policy(work, source_sha))
    try:
        client = ecr_client(work.aws(target))
        found = ecr.ensure_repository(client, wanted, _standing(client, work, source_sha, target).get(name))
    except (ClientError, BotoCoreError) as error:
        raise ecr.translate(error, f"configuring the repository {name}") from error
    for difference in found.mended:
        logger.info("%s: %s", name, difference)
    for difference in found.remaining:
        logger.warning("%s: %s", name, difference)


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
    names = [target.repository_of(service.name) for service in services]
    key = (flow_run.id, work.environment.name, source_sha, target.name)
    return _DESCRIBED.get(key, lambda: ecr.described(client, names)) if flow_run.id else {}
