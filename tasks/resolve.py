"""The first stage: from a trigger to a commit."""

from __future__ import annotations

from argosy import sources
from argosy.models import Resolved
from blocks.gitops_repository import GitOpsRepository
from tasks.policy import stage
from tasks.workspace import load, written_to


@stage("resolve", run_name="resolve {environment}", timeout=900)
def resolve(repository: str, environment: str, source_sha: str | None) -> Resolved:
    """The commit to release to `environment`: `source_sha`, else the tip of its source branch."""
    block = load(GitOpsRepository, repository)
    mirror = block.mirror()
    return sources.resolve(mirror, environment, source_sha, lambda found: written_to(found, block, mirror)[1])
