"""The release records of an environment, as the trailers of its target's history tell them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from argosy import trailers
from argosy.git import Git
from argosy.trailers import ReleaseRecord


class History:
    """The release records of an environment, the newest first."""

    def __init__(self, records: Sequence[ReleaseRecord]) -> None:
        self.records = tuple(records)
        self.first_commit = records[-1].commit if records else None
        self._of: dict[str, list[ReleaseRecord]] = defaultdict(list)
        self._order: dict[tuple[str, str], int] = {}
        for number, record in enumerate(records):
            self._of[record.service].append(record)
            self._order.setdefault((record.service, record.commit), number)

    @classmethod
    def read(cls, git: Git, head: str, environment: str) -> History:
        """The history of `environment` that the target's commit `head` holds."""
        return cls(trailers.records(git, head, environment))

    def of(self, service: str) -> Sequence[ReleaseRecord]:
        """The records that name `service`, the newest first."""
        return self._of.get(service, ())

    def record(self, service: str, tag: str) -> ReleaseRecord | None:
        """The newest record that wrote `tag` for `service`."""
        return next((record for record in self.of(service) if tag in record.tags), None)

    def wrote(self, commit: str, service: str, tag: str) -> bool:
        """Whether `commit` is a release of `service` under `tag`."""
        return any(record.commit == commit and tag in record.tags for record in self.of(service))

    def went_back(self, service: str, before: str, now: str) -> bool:
        """Whether tag `now` was released before tag `before` was: no release sets `before` back to it, a hand does."""
        older, newer = self.record(service, now), self.record(service, before)
        if older is None or newer is None:
            return False
        return self._order[service, older.commit] > self._order[service, newer.commit]
