"""What an environment has released and verified, read from its target: values files, trailers and notes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from argosy import charts, notes, trailers
from argosy.digests import Digests
from argosy.environment import Environment
from argosy.errors import ConfigurationError
from argosy.git import LINK, SUBMODULE, Git
from argosy.models import ContentDigest, ImageReference, Service
from argosy.trailers import ReleaseRecord


@dataclass(frozen=True, slots=True)
class Released:
    """What is known of one service's current reference.

    `known` says that the reference is explained: by `record`, by a tag that is a commit at hand, or because the
    service is newer than the environment's adoption. `content` and `source_sha` are what lies behind it; `on_source`
    says that the latter is still on the source branch. `previous` is the last verified reference before it.
    """

    reference: ImageReference
    known: bool
    content: ContentDigest | None = None
    source_sha: str | None = None
    on_source: bool = True
    record: ReleaseRecord | None = None
    verified: bool = False
    previous: ImageReference | None = None


def read(git: Git, environment: Environment, target_sha: str, digests: Digests) -> dict[str, Released]:
    """What every service of `environment` has released, as the target's commit `target_sha` carries it.

    Raises ConfigurationError for a service whose values file is not there, Terminal for one that cannot be read.
    """
    reader = Reader.open(git, environment, target_sha, digests)
    return {service.name: reader.read(service) for service in environment.services}


class History:
    """The release records of an environment, the newest first."""

    def __init__(self, records: tuple[ReleaseRecord, ...]) -> None:
        self.records = records
        self.first_commit = records[-1].commit if records else None

    def names(self, service: str) -> bool:
        """Whether any record ever named `service`."""
        return any(record.service == service for record in self.records)

    def record(self, service: str, tag: str) -> ReleaseRecord | None:
        """The newest record that wrote `tag` for `service`."""
        return next((r for r in self.records if r.service == service and tag in r.tags), None)

    def went_back(self, service: str, before: str, now: str) -> bool:
        """Whether tag `now` was released before tag `before` was: no release sets `before` back to it, a hand does."""
        older, newer = self.record(service, now), self.record(service, before)
        if older is None or newer is None:
            return False
        return self.records.index(older) > self.records.index(newer)


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads one target commit, service by service, so that one that cannot be read hides no other."""

    git: Git
    target_sha: str
    history: History
    digests: Digests
    verified: frozenset[notes.Verified]
    source_tip: str | None

    @classmethod
    def open(cls, git: Git, environment: Environment, target_sha: str, digests: Digests) -> Reader:
        """A reader of `environment` at `target_sha`."""
        history = History(trailers.records(git, target_sha, environment.name))
        tip = git.ref(f"refs/heads/{environment.source_branch}")
        return cls(git, target_sha, history, digests, notes.verified(git, environment.name), tip)

    def read(self, service: Service) -> Released:
        """What `service` has released. Raises ConfigurationError or Terminal where that cannot be read."""
        reference = current_reference(self.git, self.target_sha, service)
        record = self.history.record(service.name, reference.tag)
        source = record.source_sha if record else reference.commit
        at_hand = source is not None and self.git.is_commit(source)
        content = self.digests.released(source, service.name) if source and at_hand else None
        explained = record is not None or at_hand or self._added_later(service)
        return Released(
            reference=reference,
            known=self.history.first_commit is not None and explained,
            content=content or (record.content if record else None),
            source_sha=source if record or at_hand else None,
            on_source=not (source and at_hand and self.source_tip) or self.git.is_ancestor(source, self.source_tip),
            record=record,
            verified=notes.Verified(service.name, reference) in self.verified,
            previous=self._previous(service, reference),
        )

    def _previous(self, service: Service, current: ImageReference) -> ImageReference | None:
        healthy = [seen.reference for seen in self.verified if seen.service == service.name]
        earlier = {reference.tag: reference for reference in healthy if reference != current}
        records = (record for record in self.history.records if record.service == service.name)
        return next((earlier[tag] for record in records for tag in record.tags if tag in earlier), None)

    def _added_later(self, service: Service) -> bool:
        first = self.history.first_commit
        if first is None or self.history.names(service.name):
            return False
        return self.git.file(first, service.values_path) is None


def current_reference(git: Git, commit: str, service: Service) -> ImageReference:
    """The reference that the service's values file carries at `commit`. Raises ConfigurationError without a file."""
    path = service.values_path
    text = git.file(commit, path)
    found = git.entry(commit, path) if text is None or b"\n" not in text else None
    if found and found.mode in {LINK, SUBMODULE}:
        kind = "a symbolic link" if found.mode == LINK else "a submodule"
        raise ConfigurationError(
            f"{path} is {kind} in commit {commit[:12]} of the target",
            service=service.name,
            remedy="commit a file there, or name the file itself in argosy.yaml: a release writes through no link",
        )
    if text is None:
        raise ConfigurationError(
            f"{path} is not in commit {commit[:12]} of the target",
            service=service.name,
            remedy="commit a values file there, or name the chart in argosy.yaml",
        )
    return charts.read_reference(text, path)


def ahead(git: Git, released: Mapping[str, Released], source_sha: str) -> frozenset[str]:
    """The services that a release from `source_sha` would set back: see `is_ahead`."""
    return frozenset(name for name, item in released.items() if is_ahead(git, item, source_sha))


def is_ahead(git: Git, released: Released, source_sha: str) -> bool:
    """Whether what is released comes from a descendant of `source_sha` that is still on the source branch.

    A commit that was pushed away from there is no newer release: it may be replaced.
    """
    newer = released.source_sha
    if newer is None or newer == source_sha or not released.on_source:
        return False
    return git.is_commit(newer) and git.is_ancestor(source_sha, newer)
