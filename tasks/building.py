"""One build as a run makes it: what it is asked for, where its registry keeps its cache, and whose images it takes."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from argosy.builds import cache as build_cache
from argosy.builds import image_copies, images
from argosy.builds.builders import BuilderHost
from argosy.builds.cache_exports import Build, Tell
from argosy.builds.output import BuildOutput
from argosy.builds.request import NO_CACHE, BuildRequest, Cache, origin
from argosy.builds.slots import Slots
from argosy.errors import ArgosyError, Terminal
from argosy.home import run_folder
from argosy.inputs.base_images import pinned
from argosy.inputs.build_context import contexts, export
from argosy.inputs.content import BuildInputs
from argosy.inputs.dockerfile import declares
from argosy.inputs.snapshot import Snapshot
from argosy.models import ImageReference, Service, ServicePlan
from argosy.registries.login import Login
from argosy.registries.registry import Manifest, Registry
from tasks import connections
from tasks.progress import following
from tasks.recent import Recent
from tasks.workspace import Workspace, of_a_run, run_id

logger = logging.getLogger("argosy.tasks")

_SLOTS = Slots()
_EPOCH = "SOURCE_DATE_EPOCH"
_ANSWERS = Recent(seconds=600)
_SOURCES = Recent(seconds=60)


def build_image(
    work: Workspace,
    source_sha: str,
    item: ServicePlan,
    image: ImageReference,
    registry: Registry,
    output: BuildOutput,
    ready: Callable[[], None],
) -> Manifest:
    """Build the service's content into the repository of `image`; what its tag names there afterwards.

    `ready` waits for that repository. The export of the build's cache may go on afterwards, until the run's end.
    """
    source, content = _source(work, source_sha, item), image.tagged(item.content.tag)
    inputs = source.snapshot.inputs(item.service)
    cache = _cache(work, content, registry) if item.service.build.cache else NO_CACHE
    with (
        contexts(work.mirror.git, inputs, run_folder(run_id())) as places,
        _SLOTS.one(run_id(), work.environment.builder.concurrency),
        following(item.name, output),
    ):
        request = _request(work, source, item, inputs, places | _bases(work, item, source.snapshot))
        request = replace(request, references=(content,), cache=cache)
        act = partial(_run, request, work.builder(), _logins(work, item.service, image), output)
        ready()
        digest, found = _pushed(act, output, request, partial(_found, registry, content))
    # Another run that built the same content meanwhile may have been last: then both release that image.
    return found or registry.find(content.name, content.tag) or registry.manifest(content.name, digest)


def _run(request: BuildRequest, host: BuilderHost, logins: Mapping[str, Login], output: BuildOutput, tell: Tell) -> str:
    def on_line(line: str) -> None:
        if said := output.add(line):
            logger.info("%s", said)
        tell(line)

    return images.build(request, host, logins, on_line)


def _pushed(
    act: Build, output: BuildOutput, request: BuildRequest, there: Callable[[str], Manifest | None]
) -> tuple[str, Manifest | None]:
    """The digest of what `act` pushed, and what is there under it, where the export of the cache still goes on."""
    if request.cache.export is None or not of_a_run():
        return act(lambda _line: None), None
    # What the cache would get of a build that ran no step, it has, as far as it was ever exported.
    spared = request.cache.export in request.cache.imports
    return connections.of_run().exports().image(act, output, there, spared=spared)


def _found(registry: Registry, content: ImageReference, digest: str) -> Manifest | None:
    found = registry.find(content.name, content.tag)
    return found if found and found.digest == digest else None


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


@dataclass(frozen=True, slots=True)
class _Source:
    """What the builds of a run read of its source commit, once for all of them."""

    sha: str
    snapshot: Snapshot
    epoch: int


def _source(work: Workspace, source_sha: str, item: ServicePlan) -> _Source:
    """The source commit, as a build with the looked-up base images of `item` reads it."""
    git, environment = work.mirror.git, work.environment

    def read() -> _Source:
        snapshot = Snapshot(git, source_sha, environment.written, resolved=dict(item.base_images))
        snapshot.read_ahead(environment.services)
        return _Source(source_sha, snapshot, int(git.text("log", "-1", "--format=%ct", source_sha)))

    return _SOURCES.get((run_id(), work.mirror.path, environment.name, source_sha, item.base_images), read)


def _request(
    work: Workspace, source: _Source, item: ServicePlan, inputs: BuildInputs, places: Mapping[str, str]
) -> BuildRequest:
    git, options, epoch = work.mirror.git, item.service.build, source.epoch
    return BuildRequest(
        service=item.service,
        references=(),
        dockerfile=inputs.dockerfile.path,
        write_context=partial(export, git, inputs),
        scratch=run_folder(run_id()),
        labels=origin(work.repository.url, source.sha, epoch),
        contexts={**places, **{name: pinned(name, digest) for name, digest in item.base_images}},
        fresh=item.forced,
        epoch=epoch,
        epoch_told=declares(source.snapshot.dockerfile(item.service), _EPOCH),
        secrets={name: work.secret(block) for name, block in options.secrets},
        ssh=work.secret(options.ssh) if options.ssh else None,
    )


def _cache(work: Workspace, image: ImageReference, registry: Registry) -> Cache:
    builder = work.environment.builder
    others = default_branch(work) if builder.cache_branches is None else builder.cache_branches
    return build_cache.of(
        image, work.environment.source_branch, others, lambda tag: registry.digest_of(image.name, tag) is not None
    )


def default_branch(work: Workspace) -> tuple[str, ...]:
    """The remote's default branch; none where it does not say: a cache is worth no failed release."""
    try:
        return (_ANSWERS.get(work.repository.url, work.source.default_branch),)
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
