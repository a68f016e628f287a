"""What an environment has released and verified, read from its target: values files, trailers and notes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from argosy import notes
from argosy.batches import commits, contents, descendants, identify, outside
from argosy.edits import references
from argosy.environment import Environment
from argosy.errors import ConfigurationError, Terminal
from argosy.git import EXECUTABLE, LINK, REGULAR, SUBMODULE, Git
from argosy.models import ImageReference, Service
from argosy.release_history import History
from argosy.trailers import ReleaseRecord


@dataclass(frozen=True, slots=True)
class Released:
    """What is known of one service's current reference.

    `known` says that the reference is explained: by `record`, a tag that is a commit at hand, because Argosy released
    the service before, or because the service is newer than the environment's adoption. `source_sha` is the commit
    behind it; `at_hand` says that the repository has it, `on_source` that it is still on the source branch, `before`
    that some release named the service. `previous` is the last verified reference before this one.
    """

    reference: ImageReference
    known: bool
    source_sha: str | None = None
    at_hand: bool = False
    on_source: bool = True
    before: bool = False
    record: ReleaseRecord | None = None
    verified: bool = False
    previous: ImageReference | None = None


@dataclass(frozen=True, slots=True)
class Readings:
    """What several services have released, and why that of some cannot be read."""

    released: dict[str, Released] = field(default_factory=dict)
    failures: dict[str, Terminal] = field(default_factory=dict)


def read(git: Git, environment: Environment, target_sha: str) -> dict[str, Released]:
    """What every service of `environment` has released, as the target's commit `target_sha` carries it.

    Raises ConfigurationError for a service whose values file is not there, Terminal for one that cannot be read.
    """
    readings = Reader.open(git, environment, target_sha).read_all(environment.services)
    for error in readings.failures.values():
        raise error
    return readings.released


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads one target commit: many services at once, and one that cannot be read hides no other."""

    git: Git
    target_sha: str
    history: History
    verified: Mapping[str, AbstractSet[ImageReference]]
    source_tip: str | None

    @classmethod
    def open(cls, git: Git, environment: Environment, target_sha: str, source_tip: str | None = None) -> Reader:
        """A reader of `environment` at `target_sha`; the source's tip is its local branch unless given.

        Where the target is another repository than the source `git` knows no branch of that: the tip is None then.
        """
        tip = source_tip
        if tip is None and environment.target_repository is None:
            tip = git.ref(f"refs/heads/{environment.source_branch}")
        history = History.read(git, target_sha, environment.name)
        healthy: dict[str, set[ImageReference]] = defaultdict(set)
        for seen in notes.verified(git, environment.name):
            healthy[seen.service].add(seen.reference)
        return cls(git, target_sha, history, healthy, tip)

    def read(self, service: Service) -> Released:
        """What `service` has released. Raises ConfigurationError or Terminal where that cannot be read."""
        readings = self.read_all([service])
        for error in readings.failures.values():
            raise error
        return readings.released[service.name]

    def read_all(self, services: Iterable[Service]) -> Readings:
        """What `services` have released."""
        found = Readings()
        references = dict(self._references(services, found))
        records = {service: self.history.record(service.name, ref.tag) for service, ref in references.items()}
        sources = {s: record.source_sha if (record := records[s]) else ref.commit for s, ref in references.items()}
        at_hand = commits(self.git, filter(None, sources.values()))
        gone = outside(self.git, at_hand, self.source_tip) if self.source_tip else frozenset()
        older = self._older(references)
        for service, reference in references.items():
            record, source = records[service], sources[service]
            before = bool(self.history.of(service.name))
            explained = before or source in at_hand
            found.released[service.name] = Released(
                reference=reference,
                known=self.history.first_commit is not None and (explained or service not in older),
                source_sha=source if record or source in at_hand else None,
                at_hand=source in at_hand,
                on_source=source not in gone,
                before=before,
                record=record,
                verified=reference in self.verified.get(service.name, ()),
                previous=self._previous(service, reference),
            )
        return found

    def _references(self, services: Iterable[Service], found: Readings) -> Iterable[tuple[Service, ImageReference]]:
        asked = list(services)
        texts = contents(self.git, (f"{self.target_sha}:{service.values_path}" for service in asked))
        for service, text in zip(asked, texts, strict=True):
            try:
                yield service, _reference(self.git, self.target_sha, service, text)
            except Terminal as error:
                found.failures[service.name] = error

    def _older(self, services: Iterable[Service]) -> frozenset[Service]:
        """Those whose values files are as old as the environment's first release."""
        asked, first = list(services), self.history.first_commit
        if first is None:
            return frozenset()
        files = identify(self.git, (f"{first}:{service.values_path}" for service in asked))
        return frozenset(service for service, file in zip(asked, files, strict=True) if file)

    def _previous(self, service: Service, current: ImageReference) -> ImageReference | None:
        healthy = self.verified.get(service.name, ())
        earlier = {reference.tag: reference for reference in healthy if reference != current}
        tags = (tag for record in self.history.of(service.name) for tag in record.tags)
        return next((earlier[tag] for tag in tags if tag in earlier), None) if earlier else None


def current_reference(git: Git, commit: str, service: Service) -> ImageReference:
    """The reference that the service's values file carries at `commit`.

    Raises ConfigurationError where there is no such file, or a link in its place, Terminal where it cannot be read.
    """
    return _reference(git, commit, service, git.file(commit, service.values_path))


def _reference(git: Git, commit: str, service: Service, text: bytes | None) -> ImageReference:
    path = service.values_path
    found = git.entry(commit, path) if text is None or b"\n" not in text else None
    if found and found.mode in {LINK, SUBMODULE}:
        kind = "a symbolic link" if found.mode == LINK else "a submodule"
        raise ConfigurationError(
            f"{path} is {kind} in commit {commit[:12]} of the target",
            service=service.name,
            remedy="commit a file there, or name the file itself in argosy.yaml: a release writes through no link",
        )
    if text is None and found and found.mode in {REGULAR, EXECUTABLE}:
        raise git.lost(path)
    if text is None:
        raise ConfigurationError(
            f"{path} is not in commit {commit[:12]} of the target",
            service=service.name,
            remedy="commit a values file there, or name the chart in argosy.yaml",
        )
    return references.read_reference(text, path, service.keys)


def ahead(git: Git, released: Mapping[str, Released], source_sha: str) -> frozenset[str]:
    """The services that a release from `source_sha` would set back: see `is_ahead`."""
    sources = {name: item.source_sha for name, item in released.items() if item.at_hand and item.on_source}
    newer = descendants(git, filter(None, sources.values()), source_sha) - {source_sha}
    return frozenset(name for name, sha in sources.items() if sha in newer)


def is_ahead(git: Git, released: Released, source_sha: str) -> bool:
    """Whether what is released comes from a descendant of `source_sha` that is still on the source branch.

    A commit that was pushed away from there is no newer release: it may be replaced.
    """
    return bool(ahead(git, {"": released}, source_sha))
