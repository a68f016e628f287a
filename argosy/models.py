"""The data that goes between the steps of a release: frozen, plain, without clients and without secrets."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from argosy.builds.options import PLAINLY, BuildOptions
from argosy.resilience import DEFAULT_RETRY, Retry

RECIPE = "1"
"""The version of the way a content digest is made; raised whenever the same inputs would hash differently."""

SHA = re.compile(r"[0-9a-f]{40}")
_WRITTEN_TAG = re.compile(r"([0-9a-f]{40})(?:-[0-9a-f]{12})?")


@dataclass(frozen=True, slots=True)
class ImageReference:
    """An image as a chart names it: `repository` with its host, without a scheme, and `tag`."""

    repository: str
    tag: str

    def __str__(self) -> str:
        return f"{self.repository}:{self.tag}"

    @property
    def host(self) -> str:
        """The registry's host and port."""
        return self.repository.partition("/")[0]

    @property
    def name(self) -> str:
        """The repository's name within its registry."""
        return self.repository.partition("/")[2]

    @property
    def commit(self) -> str | None:
        """The full commit SHA that a tag written by Argosy carries; None for any other tag."""
        match = _WRITTEN_TAG.fullmatch(self.tag)
        return match[1] if match else None

    def tagged(self, tag: str) -> ImageReference:
        """The same repository under another tag."""
        return ImageReference(self.repository, tag)


@dataclass(frozen=True, slots=True)
class ContentDigest:
    """SHA-256 (64 hex digits) over a service's build inputs, and the recipe it was made by."""

    hex: str
    recipe: str = RECIPE

    @property
    def tag(self) -> str:
        """The tag under which a registry holds the image of this content."""
        return f"content-{self.hex}"


@dataclass(frozen=True, slots=True)
class BuildContext:
    """What `docker build` is given for a service; paths are relative to the repository's root.

    `contexts` are further folders by the names that the Dockerfile has for them. With `resolve` the digests of the
    external images are inputs too.
    """

    path: str
    dockerfile: str
    build_args: tuple[tuple[str, str], ...] = ()
    target_stage: str | None = None
    platform: tuple[str, ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
    contexts: tuple[tuple[str, str], ...] = ()
    resolve: bool = False


@dataclass(frozen=True, slots=True)
class ImageKeys:
    """The dotted paths at which a values file carries a service's reference.

    `image` holds `repository:tag`, or `repository:tag@digest`, in one; without it `repository` and `tag` hold its
    parts, and `digest`, where it is named, the manifest's digest.
    """

    repository: str = "image.repository"
    tag: str = "image.tag"
    digest: str | None = None
    image: str | None = None

    @property
    def paths(self) -> tuple[str, ...]:
        """Those that a release writes."""
        return (self.image,) if self.image else tuple(filter(None, (self.repository, self.tag, self.digest)))


@dataclass(frozen=True, slots=True)
class Service:
    """A service as one environment releases it; paths are relative to the repository's root.

    `chart_path` is its chart in the source, which no content digest covers. `values_path` is the file of the target in
    which a release writes the reference, at `keys`; `ecr_repository` is the repository's
    name in the registry, without the host. `dependencies` are the services whose images it is built
    from; `shared` the files and folders outside its build context that its image depends on. `registry` is the name of
    its registry among the further ones, None for the environment's own; `build` says how it is built, which changes no
    content.
    """

    name: str
    path: str
    chart_path: str
    values_path: str
    ecr_repository: str
    build_context: BuildContext
    application: str | None = None
    timeout: float = 1800.0
    dependencies: tuple[Service, ...] = ()
    shared: tuple[str, ...] = ()
    registry: str | None = None
    build: BuildOptions = PLAINLY
    keys: ImageKeys = ImageKeys()
    target_chart: str | None = None

    @property
    def released_chart(self) -> str:
        """The folder of its chart in the target, where releases are written: `target_chart` where that is another."""
        return self.target_chart or self.chart_path

    @property
    def dockerfile_path(self) -> str:
        """Where the Dockerfile lies."""
        return self.build_context.dockerfile


class State(StrEnum):
    """What a plan says of a service; docs/architecture.md has the table."""

    UNKNOWN = "unknown"
    HELD = "held"
    BLOCKED = "blocked"
    BUILD = "build"
    REUSE = "reuse"
    UNVERIFIED = "unverified"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Hold:
    """What keeps a service from being released, until `until` where that is said; times carry a zone.

    `digest` (64 hex, by `recipe`) and the source commit `commit` say which content is held: all of it without them.
    `by_hand` says that nobody asked for it: somebody changed the reference, in the target's commit `hand`.
    `written` says that the file of holds has it; a hand's holds without that, until a run has written it down.
    """

    service: str
    environment: str
    reason: str
    who: str
    since: datetime
    until: datetime | None = None
    digest: str | None = None
    recipe: str = RECIPE
    commit: str | None = None
    by_hand: bool = False
    hand: str | None = None
    written: bool = True


@dataclass(frozen=True, slots=True)
class ServicePlan:
    """What a release would do with one service, and why.

    `current` is the reference its values file carries; `wanted` the one a release would leave there;
    `release_commit` and `manifest_digest` are of the release that wrote `current`, where one did. `inputs` names what
    its content differs in from what is released, where that can be told; `hold` is what holds it. A `forced` build is
    made whatever the registry has. `base_images` are the external images that were looked up, with their digests.
    """

    service: Service
    state: State
    reason: str
    content: ContentDigest
    wanted: ImageReference
    current: ImageReference | None = None
    release_commit: str | None = None
    manifest_digest: str | None = None
    inputs: tuple[str, ...] = ()
    hold: Hold | None = None
    forced: bool = False
    base_images: tuple[tuple[str, str], ...] = ()

    @property
    def name(self) -> str:
        """The service's name."""
        return self.service.name

    @property
    def writes(self) -> bool:
        """Whether a release changes the reference of this service."""
        return self.state in {State.BUILD, State.REUSE}


@dataclass(frozen=True, slots=True)
class Plan:
    """Desired against released for one environment, at one source commit and one target head.

    `watched` says that Argo CD brings the environment up, so that a release is verified; `retry` how often the stages
    that follow try again what may pass; `tells_registry` that there is something to tell the whole registry. `failures`
    has the services that could not be planned, and why. `scanned` says that no image is written before its scan was
    judged; `cuts_cache` that the builder's own cache is cut to a size after builds; `automatic_rollback` that what
    degrades is taken back to its last verified release; `proposes` that the target may be written by a pull request.
    """

    environment: str
    source_sha: str
    target_sha: str
    services: tuple[ServicePlan, ...]
    adopt: bool = False
    failures: tuple[tuple[str, str], ...] = ()
    watched: bool = False
    retry: Retry = DEFAULT_RETRY
    automatic_rollback: bool = False
    scanned: bool = False
    tells_registry: bool = False
    cuts_cache: bool = False
    proposes: bool = False

    def with_state(self, *states: State) -> tuple[ServicePlan, ...]:
        """The services in any of `states`, in the plan's order."""
        return tuple(item for item in self.services if item.state in states)

    @property
    def to_write(self) -> tuple[ServicePlan, ...]:
        """The services whose reference a release changes."""
        return tuple(item for item in self.services if item.writes)

    @property
    def by_hand(self) -> tuple[Hold, ...]:
        """The holds that hands left and that the file of holds does not have yet."""
        found = (item.hold for item in self.services)
        return tuple(hold for hold in found if hold and hold.by_hand and not hold.written)

    @property
    def nothing_to_do(self) -> bool:
        """Whether a release would neither write nor verify anything."""
        return not self.adopt and not self.to_write and not self.with_state(State.UNVERIFIED) and not self.failures

    @property
    def obsoletes(self) -> bool:
        """Whether a pull request of an earlier run has nothing to say any more."""
        return self.proposes and not self.adopt and not self.to_write and not self.failures

    @property
    def hash(self) -> str:
        """64 hex digits over what would be released: equal if and only if the same would be done."""
        rows = [[s.name, s.state, s.content.hex, str(s.wanted), str(s.current), s.forced] for s in self.services]
        text = json.dumps([self.environment, self.source_sha, self.adopt, rows])
        return hashlib.sha256(text.encode()).hexdigest()


class BuildStatus(StrEnum):
    """How the build of a service ended."""

    BUILT = "built"
    REUSED = "reused"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class BuildResult:
    """A service's image in the registry: `reference` names `manifest_digest` (`sha256:` and 64 hex).

    `steps` is how many steps of the Dockerfile the build ran, and `cached` how many of them the cache spared. `note` is
    what else there is to say: that it is in a registry that stands in.
    """

    service: str
    status: BuildStatus
    reference: ImageReference
    manifest_digest: str
    content: ContentDigest
    seconds: float = 0.0
    steps: int = 0
    cached: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """One scalar of one file, before and after; `path` is dotted (`image.tag`)."""

    file: str
    path: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Resolved:
    """What a trigger came to: the source commit to release, and the head of the target then."""

    source_sha: str
    target_sha: str


@dataclass(frozen=True, slots=True)
class Release:
    """One service's new reference, as the release commit records it."""

    service: Service
    expected: ImageReference | None
    reference: ImageReference
    content: ContentDigest
    manifest_digest: str


@dataclass(frozen=True, slots=True)
class WriteBack:
    """What was written: the target's `commit` (None where nothing had to be) and its changes.

    `left_out` maps a service whose reference could not be written to the reason, `superseded` one that a newer
    commit was released of meanwhile, `held` one that somebody put a hold on meanwhile, or closed the pull request of.
    What was `released` waits for the merge of the `pull_request` at that address, where there is one.
    """

    commit: str | None
    changes: tuple[Change, ...] = ()
    released: tuple[str, ...] = ()
    left_out: dict[str, str] = field(default_factory=dict)
    superseded: dict[str, str] = field(default_factory=dict)
    attempts: int = 1
    held: dict[str, str] = field(default_factory=dict)
    pull_request: str | None = None


@dataclass(frozen=True, slots=True)
class Awaited:
    """A reference that Argo CD is to bring up: the target's `commit` wrote it, and it names `manifest_digest`."""

    service: Service
    reference: ImageReference
    commit: str
    manifest_digest: str | None

    @property
    def name(self) -> str:
        """The service's name."""
        return self.service.name


class Health(StrEnum):
    """What a verification found."""

    WAITING = "waiting"
    HEALTHY = "healthy"
    DEGRADED = "degraded"
    SUPERSEDED = "superseded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What Argo CD made of one service's reference; `revision` is the commit that Argo CD compared."""

    service: str
    reference: ImageReference
    health: Health
    reason: str
    revision: str | None = None

    @property
    def final(self) -> bool:
        """Whether waiting longer cannot change it."""
        return self.health is not Health.WAITING
