"""The fourth stage: an image in the registry for a service's content, built if nobody has built it yet."""

from __future__ import annotations

import logging
import time
from functools import partial

from argosy import images, publishing
from argosy.build_context import export
from argosy.home import run_folder
from argosy.models import BuildResult, BuildStatus, ServicePlan
from argosy.snapshot import Snapshot
from blocks.engine import builder_host
from tasks.policy import stage
from tasks.workspace import Workspace, run_id

logger = logging.getLogger("argosy.tasks")


@stage("build", run_name="{item.state} {item.name}", persist=True, service="item")
def build(repository: str, environment: str, source_sha: str, item: ServicePlan) -> BuildResult:
    """See that the registry has the service's image under the release's tag; build only what it lacks."""
    work = Workspace.open(repository, environment, source_sha)
    started = time.monotonic()
    with work.registry().client(work.environment.registry.host) as registry:
        standing = registry.digest_of(item.service.ecr_repository, item.content.tag)
        digest = standing or _build(work, source_sha, item)
        manifest = registry.manifest(item.service.ecr_repository, digest)
        reference = publishing.tag_release(registry, item.wanted, manifest)
    status = BuildStatus.REUSED if standing else BuildStatus.BUILT
    return BuildResult(item.name, status, reference, digest, item.content, time.monotonic() - started)


def _build(work: Workspace, source_sha: str, item: ServicePlan) -> str:
    git = work.mirror.git
    inputs = Snapshot(git, source_sha, work.environment.written).inputs(item.service)
    request = images.BuildRequest(
        service=item.service,
        references=(item.wanted.tagged(item.content.tag),),
        dockerfile=inputs.dockerfile.path,
        write_context=partial(export, git, inputs),
        scratch=run_folder(run_id()),
        labels={
            "org.opencontainers.image.revision": source_sha,
            "org.opencontainers.image.source": work.repository.url,
        },
    )
    credentials = work.registry().credentials()
    logins = {work.environment.registry.host: credentials} if credentials else {}
    return images.build(request, builder_host(work.docker()), logins, _tell)


def _tell(line: str) -> None:
    if line.strip():
        logger.info("%s", line)
