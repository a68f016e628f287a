"""What an environment has released and verified, read from its target: values files, trailers and notes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from argosy import charts, notes, trailers
from argosy.digests import Digests
from argosy.environment import Environment
from argosy.errors import ConfigurationError
from argosy.git import Git
from argosy.models import ContentDigest, ImageReference, Service
from argosy.trailers import ReleaseRecord


@dataclass(frozen=True, slots=True)
class Released:
    """What is known of one service's current reference.

    `known` says that the reference is explained: by `record`, by a tag that is a commit at hand, or because the
    service is newer than the environment's adoption. `content` and `source_sha` are what lies behind it. `previous`
    is the last verified reference before it.
    """

    reference: ImageReference
    known: bool
    content: ContentDigest | None = None
    source_sha: str | None = None
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


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads one target commit, service by service, so that one that cannot be read hides no other."""

    git: Git
    target_sha: str
    history: History
    digests: Digests
    verified: frozenset[notes.Verified]

    @classmethod
    def open(cls, git: Git, environment: Environment, target_sha: str, digests: Digests) -> Reader:
        """A reader of `environment` at `target_sha`."""
        history = History(trailers.records(git, target_sha, environment.name))
        return cls(git, target_sha, history, digests, notes.verified(git, environment.name))

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
    text = git.file(commit, service.values_path)
    if text is None:
        raise ConfigurationError(
            f"{service.values_path} is not in commit {commit[:12]} of the target",
            service=service.name,
            remedy="commit a values file there, or name the chart in argosy.yaml",
        )
    return charts.read_reference(text, service.values_path)


def ahead(git: Git, released: Mapping[str, Released], source_sha: str) -> frozenset[str]:
    """The services whose released source is a descendant of `source_sha`: a release from there would go back."""
    return frozenset(name for name, item in released.items() if is_ahead(git, item, source_sha))


def is_ahead(git: Git, released: Released, source_sha: str) -> bool:
    """Whether what is released comes from a descendant of `source_sha`."""
    newer = released.source_sha
    return newer not in {None, source_sha} and git.is_commit(newer or "") and git.is_ancestor(source_sha, newer or "")
