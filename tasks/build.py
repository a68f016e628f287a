"""The fourth stage: an image in the registry for a service's content, built if nobody has built it yet."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from functools import partial

from argosy import images, publishing
from argosy.base_images import pinned
from argosy.build_context import contexts, export
from argosy.build_output import BuildOutput
from argosy.errors import Terminal, Transient
from argosy.home import run_folder
from argosy.models import BuildResult, BuildStatus, Service, ServicePlan, State
from argosy.registry import Manifest, Registry
from argosy.registry_login import Login, renewing
from argosy.snapshot import Snapshot
from blocks.engine import builder_host
from tasks.policy import stage
from tasks.progress import following, reused
from tasks.workspace import Workspace, run_id

logger = logging.getLogger("argosy.tasks")


@stage("build", run_name="{item.state} {item.name}", persist=True, service="item")
def build(repository: str, environment: str, source_sha: str, item: ServicePlan) -> BuildResult:
    """See that the registry has the service's image under the release's tag; build only what it lacks."""
    work = Workspace.open(repository, environment, source_sha)
    started = time.monotonic()
    output = BuildOutput()
    with work.home(item.service) as registry:
        standing = _standing(item, registry)
        if standing:
            reused(item.name)
        manifest = standing or _built(work, source_sha, item, registry, output)
        reference = publishing.tag_release(registry, item.wanted, manifest, contested=standing is None)
    status = BuildStatus.REUSED if standing else BuildStatus.BUILT
    seconds = time.monotonic() - started
    counts = output.steps, output.cached
    return BuildResult(item.name, status, reference, manifest.digest, item.content, seconds, *counts)


def _standing(item: ServicePlan, registry: Registry) -> Manifest | None:
    """The image of this content that somebody has built already: the one that the plan of this run saw, else any."""
    if item.forced:
        return None
    where = item.service.ecr_repository, item.content.tag
    return (registry.known(*where) if item.state is State.REUSE else None) or registry.find(*where)


def _built(work: Workspace, source_sha: str, item: ServicePlan, registry: Registry, output: BuildOutput) -> Manifest:
    bases = _bases(work, source_sha, item)
    with work.breaker(registry.host).watch(_push_failed):
        digest = renewing(work.login(registry.host), lambda: _build(work, source_sha, item, bases, output))
    return registry.manifest(item.service.ecr_repository, digest)


def _push_failed(error: BaseException) -> bool:
    """Whether a build failed because the registry is ill, and not at what it takes from elsewhere."""
    return isinstance(error, Transient) and "failed to push" in error.message


def _build(
    work: Workspace, source_sha: str, item: ServicePlan, images_of: Mapping[str, str], output: BuildOutput
) -> str:
    git, folder = work.mirror.git, run_folder(run_id())
    snapshot = Snapshot(git, source_sha, work.environment.written, resolved=dict(item.base_images))
    inputs = snapshot.inputs(item.service)
    with contexts(git, inputs, folder) as places, following(item.name, output):
        request = images.BuildRequest(
            service=item.service,
            references=(item.wanted.tagged(item.content.tag),),
            dockerfile=inputs.dockerfile.path,
            write_context=partial(export, git, inputs),
            scratch=folder,
            labels={
                "org.opencontainers.image.revision": source_sha,
                "org.opencontainers.image.source": work.repository.url,
            },
            contexts={**places, **images_of, **{name: pinned(name, digest) for name, digest in item.base_images}},
            fresh=item.forced,
        )
        return images.build(request, builder_host(work.docker()), _logins(work, item.service), partial(_tell, output))


def _logins(work: Workspace, service: Service) -> dict[str, Login]:
    """What opens the registries that the service and those it is built from live in."""
    hosts = {work.environment.registry(each).host for each in (service, *service.dependencies)}
    return {host: work.login(host) for host in sorted(hosts)}


def _bases(work: Workspace, source_sha: str, item: ServicePlan) -> dict[str, str]:
    """The images of the services that this one is built from, as they are at the same commit."""
    if not item.service.dependencies:
        return {}
    snapshot = Snapshot(work.mirror.git, source_sha, work.environment.written, resolved=dict(item.base_images))
    found: dict[str, str] = {}
    for base in item.service.dependencies:
        with work.home(base) as registry:
            digest = registry.digest_of(base.ecr_repository, snapshot.digest(base).tag)
        if digest is None:
            raise Terminal(
                f"it is built from {base.name}, of whose content the registry has no image",
                service=item.name,
                remedy=f"release {base.name} in the same run, or before",
            )
        found[base.name] = pinned(work.environment.repository(base), digest)
    return found


def _tell(output: BuildOutput, line: str) -> None:
    if said := output.add(line):
        logger.info("%s", said)
