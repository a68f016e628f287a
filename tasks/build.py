"""The fourth stage: an image in the registry for a service's content, built if nobody has built it yet."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from argosy import build_cache, images, publishing
from argosy.base_images import pinned
from argosy.build_context import contexts, export
from argosy.build_request import NO_CACHE, BuildRequest, Cache, origin
from argosy.build_slots import Slots
from argosy.content import BuildInputs
from argosy.dockerfile import declares
from argosy.errors import ArgosyError, Terminal
from argosy.home import run_folder
from argosy.models import BuildResult, BuildStatus, ServicePlan
from argosy.registry import Registry
from argosy.snapshot import Snapshot
from tasks.policy import stage
from tasks.recent import Recent
from tasks.workspace import Workspace, run_id

logger = logging.getLogger("argosy.tasks")

_SLOTS = Slots()
_EPOCH = "SOURCE_DATE_EPOCH"
_ANSWERS = Recent(seconds=600)


@stage("build", run_name="{item.state} {item.name}", persist=True, service="item")
def build(repository: str, environment: str, source_sha: str, item: ServicePlan) -> BuildResult:
    """See that the registry has the service's image under the release's tag; build only what it lacks."""
    work = Workspace.open(repository, environment, source_sha)
    started = time.monotonic()
    with work.registry().client(work.environment.registry.host) as registry:
        standing = None if item.forced else registry.digest_of(item.service.ecr_repository, item.content.tag)
        digest = standing or _build(work, source_sha, item, registry)
        manifest = registry.manifest(item.service.ecr_repository, digest)
        reference = publishing.tag_release(registry, item.wanted, manifest)
    status = BuildStatus.REUSED if standing else BuildStatus.BUILT
    return BuildResult(item.name, status, reference, digest, item.content, time.monotonic() - started)


def _build(work: Workspace, source_sha: str, item: ServicePlan, registry: Registry) -> str:
    """The digest of the image that the registry has under the content's tag afterwards."""
    git, folder = work.mirror.git, run_folder(run_id())
    snapshot = Snapshot(git, source_sha, work.environment.written, resolved=dict(item.base_images))
    inputs = snapshot.inputs(item.service)
    credentials = work.registry().credentials()
    logins = {work.environment.registry.host: credentials} if credentials else {}
    cache = _cache(work, item, registry) if item.service.build.cache else NO_CACHE
    with contexts(git, inputs, folder) as places, _SLOTS.one(run_id(), work.environment.builder.concurrency):
        request = _request(work, source_sha, item, inputs, places | _bases(work, item, snapshot, registry))
        built = images.build(replace(request, cache=cache), work.builder(), logins, _tell)
    # Another run that built the same content meanwhile may have been last: then both release that image.
    return registry.digest_of(item.service.ecr_repository, item.content.tag) or built


def _request(
    work: Workspace, source_sha: str, item: ServicePlan, inputs: BuildInputs, places: Mapping[str, str]
) -> BuildRequest:
    git, options = work.mirror.git, item.service.build
    epoch = int(git.text("log", "-1", "--format=%ct", source_sha))
    image = item.wanted.tagged(item.content.tag)
    return BuildRequest(
        service=item.service,
        references=(image,),
        dockerfile=inputs.dockerfile.path,
        write_context=partial(export, git, inputs),
        scratch=run_folder(run_id()),
        labels=origin(work.repository.url, source_sha, epoch),
        contexts={**places, **{name: pinned(name, digest) for name, digest in item.base_images}},
        fresh=item.forced,
        epoch=epoch,
        epoch_told=declares(next(iter(git.objects([inputs.dockerfile.object_id]))) or b"", _EPOCH),
        secrets={name: work.secret(block) for name, block in options.secrets},
        ssh=work.secret(options.ssh) if options.ssh else None,
    )


def _cache(work: Workspace, item: ServicePlan, registry: Registry) -> Cache:
    builder, image = work.environment.builder, item.wanted
    others = _default_branch(work) if builder.cache_branches is None else builder.cache_branches
    return build_cache.of(
        image, work.environment.source_branch, others, lambda tag: registry.digest_of(image.name, tag) is not None
    )


def _default_branch(work: Workspace) -> tuple[str, ...]:
    """The remote's default branch; none where it does not say: a cache is worth no failed release."""
    try:
        return (_ANSWERS.get(work.repository.url, work.mirror.default_branch),)
    except ArgosyError as error:
        logger.info("the default branch's build cache is not used: %s", error)
        return ()


def _bases(work: Workspace, item: ServicePlan, snapshot: Snapshot, registry: Registry) -> dict[str, str]:
    """The images of the services that this one is built from, as they are at the same commit."""
    found: dict[str, str] = {}
    for base in item.service.dependencies:
        digest = registry.digest_of(base.ecr_repository, snapshot.digest(base).tag)
        if digest is None:
            raise Terminal(
                f"it is built from {base.name}, of whose content the registry has no image",
                service=item.name,
                remedy=f"release {base.name} in the same run, or before",
            )
        found[base.name] = pinned(work.environment.repository(base), digest)
    return found


def _tell(line: str) -> None:
    if line.strip():
        logger.info("%s", line)
