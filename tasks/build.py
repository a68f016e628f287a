"""The fourth stage: an image in the registry for a service's content, built if nobody has built it yet."""

from __future__ import annotations

import logging
import time
from typing import BinaryIO

from argosy import content, images, publishing
from argosy.home import run_folder
from argosy.models import BuildResult, BuildStatus, ServicePlan
from argosy.registry import Manifest, Registry
from blocks.engine import builder_host
from tasks.policy import stage
from tasks.workspace import Workspace, run_id

logger = logging.getLogger("argosy.tasks")

_SECONDS_AROUND = 600


@stage("build", run_name="{item.state.value} {item.name}", timeout=4 * 3600, persist=True)
def build(repository: str, environment: str, source_sha: str, item: ServicePlan) -> BuildResult:
    """See that the registry has the service's image under the release's tag; build only what it lacks."""
    work = Workspace.open(repository, environment, source_sha)
    started = time.monotonic()
    with work.registry().client(work.environment.registry.host) as registry:
        standing = registry.digest_of(item.service.ecr_repository, item.content.tag)
        status = BuildStatus.REUSED if standing else BuildStatus.BUILT
        digest = standing or _build(work, item)
        manifest = registry.manifest(item.service.ecr_repository, digest)
        reference = publishing.tag_release(registry, item.wanted, manifest)
    return BuildResult(item.name, status, reference, digest, item.content, time.monotonic() - started)
