"""The third stage: an image in the registry for a service's content, built if nobody has built it yet."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from argosy.builds.output import BuildOutput
from argosy.errors import CircuitOpen, Transient
from argosy.models import BuildResult, BuildStatus, ImageReference, ServicePlan, State
from argosy.processes.side_by_side import beside
from argosy.registries import publishing
from argosy.registries.login import renewing
from argosy.registries.registry import Manifest, Registry
from argosy.registries.targets import RegistryTarget
from tasks.building import build_image, copy_home
from tasks.ensure_repository import ensure_home, ensured
from tasks.policy import stage
from tasks.progress import reused
from tasks.workspace import Workspace

logger = logging.getLogger("argosy.tasks")


@stage("build", run_name="{item.state} {item.name}", persist=True, service="item")
def build(repository: str, environment: str, source_sha: str, item: ServicePlan) -> BuildResult:
    """See that the registry has the service's image under the release's tag; build only what it lacks.

    Its repository is created or mended first, where the registry is ECR. Where the service's registry is left alone,
    the one that stands in for it gets the image.
    """
    work = Workspace.open(repository, environment, source_sha)
    home, stand_in = work.environment.registry(item.service), work.environment.stand_in(item.service)
    try:
        return _Building(work, source_sha, item, home, partial(ensure_home, work, source_sha, item.service)).result()
    except (CircuitOpen, Transient) as error:
        if stand_in is None or not work.breaker(home.host).open:
            raise
        logger.warning("%s stands in: %s", stand_in.host, error)
        reason = f"{stand_in.host} stands in for {home.host}, which does not answer"
    ready = partial(ensured, work, source_sha, item.service, stand_in)
    return replace(_Building(work, source_sha, item, stand_in, ready).result(), note=reason)


@dataclass(frozen=True, slots=True)
class _Building:
    """The image of one service, in the registry `target`, of which `ensure` makes the repository ready."""

    work: Workspace
    source_sha: str
    item: ServicePlan
    target: RegistryTarget
    ensure: Callable[[], None]

    def result(self) -> BuildResult:
        started, output = time.monotonic(), BuildOutput()
        with self.work.client(self.target.host) as registry, beside(self.ensure) as ready:
            standing = self._standing(registry)
            if standing:
                reused(self.item.name)
            manifest = standing or self._built(registry, output, ready)
            ready()
            reference = publishing.tag_release(registry, self._image, manifest, contested=standing is None)
        status = BuildStatus.REUSED if standing else BuildStatus.BUILT
        seconds, counts = time.monotonic() - started, (output.steps, output.cached)
        return BuildResult(self.item.name, status, reference, manifest.digest, self.item.content, seconds, *counts)

    @property
    def _image(self) -> ImageReference:
        return ImageReference(self.target.whole_repository_of(self.item.name), self.item.wanted.tag)

    def _standing(self, registry: Registry) -> Manifest | None:
        """The image of this content that somebody has built already: the one that this run's plan saw, else any.

        One that went to the registry that stood in is brought home.
        """
        if self.item.forced:
            return None
        where = self._image.name, self.item.content.tag
        known = registry.known(*where) if self.item.state is State.REUSE else None
        return known or registry.find(*where) or copy_home(self.work, self.item, self._image, registry)

    def _built(self, registry: Registry, output: BuildOutput, ready: Callable[[], None]) -> Manifest:
        def act() -> Manifest:
            return build_image(self.work, self.source_sha, self.item, self._image, registry, output, ready)

        with self.work.breaker(registry.host).watch(_push_failed):
            return renewing(self.work.login(registry.host), act)


def _push_failed(error: BaseException) -> bool:
    """Whether a build failed because the registry is ill, and not at what it takes from elsewhere."""
    return isinstance(error, Transient) and "failed to push" in error.message
