"""One build as a run makes it: what it is asked for, where its registry keeps its cache, and whose images it takes."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from argosy import build_cache, image_copies, images
from argosy.base_images import pinned
from argosy.build_context import contexts, export
from argosy.build_output import BuildOutput
from argosy.build_request import NO_CACHE, BuildRequest, Cache, origin
from argosy.build_slots import Slots
from argosy.content import BuildInputs
from argosy.dockerfile import declares
from argosy.errors import ArgosyError, Terminal
from argosy.home import run_folder
from argosy.models import ImageReference, Service, ServicePlan
from argosy.registry import Manifest, Registry
from argosy.registry_login import Login
from argosy.snapshot import Snapshot
from tasks.progress import following
from tasks.recent import Recent
from tasks.workspace import Workspace, run_id

logger = logging.getLogger("argosy.tasks")

_SLOTS = Slots()
_EPOCH = "SOURCE_DATE_EPOCH"
_ANSWERS = Recent(seconds=600)


def build_image(
    work: Workspace, source_sha: str, item: ServicePlan, image: ImageReference, registry: Registry, output: BuildOutput
) -> str:
    """Build the service's content into the repository of `image`; the digest that its tag has there afterwards."""
    git, folder = work.mirror.git, run_folder(run_id())
    snapshot = Snapshot(git, source_sha, work.environment.written, resolved=dict(item.base_images))
    inputs, content = snapshot.inputs(item.service), image.tagged(item.content.tag)
    cache = _cache(work, content, registry) if item.service.build.cache else NO_CACHE
    with (
        contexts(git, inputs, folder) as places,
        _SLOTS.one(run_id(), work.environment.builder.concurrency),
        following(item.name, output),
    ):
        request = _request(work, source_sha, item, inputs, places | _bases(work, item, snapshot))
        request = replace(request, references=(content,), cache=cache)
        built = images.build(request, work.builder(), _logins(work, item.service, image), partial(_tell, output))
    # Another run that built the same content meanwhile may have been last: then both release that image.
    return registry.digest_of(content.name, content.tag) or built


def copy_home(work: Workspace, item: ServicePlan, image: ImageReference, registry: Registry) -> Manifest | None:
    """Bring the image that the chart names home from the registry that stood in; None where there is none to bring.

    What goes wrong there costs a build, and no release.
    """
    there = item.current
    if there is None or there.repository == image.repository or not work.environment.in_stand_in(item.service, there):
        return None
    try:
        with work.client(there.host) as other:
            manifest = other.find(there.name, item.content.tag)
        if manifest is None:
            return None
        home, scratch = image.tagged(item.content.tag), run_folder(run_id())
        source = f"{there.repository}@{manifest.digest}"
        image_copies.copy(source, home, work.builder(), _logins(work, item.service, image, there), scratch)
        registry.tag(home.name, manifest, home.tag)
    except ArgosyError as error:
        logger.warning("the image at %s is not brought home, but built anew: %s", there.repository, error)
        return None
    logger.info("brought home from %s", there.repository)
    return manifest


def _request(
    work: Workspace, source_sha: str, item: ServicePlan, inputs: BuildInputs, places: Mapping[str, str]
) -> BuildRequest:
    git, options = work.mirror.git, item.service.build
    epoch = int(git.text("log", "-1", "--format=%ct", source_sha))
    return BuildRequest(
        service=item.service,
        references=(),
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


def _cache(work: Workspace, image: ImageReference, registry: Registry) -> Cache:
    builder = work.environment.builder
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


def _logins(work: Workspace, service: Service, *images_of: ImageReference) -> dict[str, Login]:
    """What opens the registries of the images, and those that the services which it is built from may live in."""
    homes = [work.environment.registry(each).host for each in service.dependencies]
    spares = [target.host for each in service.dependencies if (target := work.environment.stand_in(each))]
    return {host: work.login(host) for host in sorted({*homes, *spares, *(image.host for image in images_of)})}


def _bases(work: Workspace, item: ServicePlan, snapshot: Snapshot) -> dict[str, str]:
    """The images of the services that this one is built from, as they are at the same commit."""
    return {base.name: _base(work, item, base, snapshot.digest(base).tag) for base in item.service.dependencies}


def _base(work: Workspace, item: ServicePlan, base: Service, tag: str) -> str:
    home, stand_in = work.environment.registry(base), work.environment.stand_in(base)
    for target in (home, stand_in) if stand_in else (home,):
        if target == home and stand_in and work.breaker(home.host).open:
            continue
        with work.client(target.host) as registry:
            digest = registry.digest_of(target.repository_of(base.name), tag)
        if digest:
            return pinned(target.whole_repository_of(base.name), digest)
    raise Terminal(
        f"it is built from {base.name}, of whose content the registry has no image",
        service=item.name,
        remedy=f"release {base.name} in the same run, or before",
    )


def _tell(output: BuildOutput, line: str) -> None:
    if said := output.add(line):
        logger.info("%s", said)
