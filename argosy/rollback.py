"""Which earlier release each service goes back to, and what is held so that no run undoes that."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from argosy import state
from argosy.environment import Environment
from argosy.errors import ArgosyError, PolicyRefused, Terminal, WrongUse
from argosy.git import Git
from argosy.models import ContentDigest, Hold, ImageReference, Service, ServicePlan
from argosy.state import Reader, Released
from argosy.trailers import ReleaseRecord


@dataclass(frozen=True, slots=True)
class RollbackRequest:
    """Take `services` back because of `reason`, in the name of `who`: to the last verified release, or to `to`.

    `to` is a full SHA, of a release commit or of the commit that was released then, or a tag that a release wrote.
    """

    services: tuple[str, ...]
    reason: str
    who: str
    to: str | None = None


@dataclass(frozen=True, slots=True)
class Restoration:
    """One service's way back: from `current` to `reference`, which `record` released, and the `hold` that keeps it.

    `manifest_digest` is what `reference` names. Where the registry has that no more, `rebuild` is what builds it anew.
    """

    service: Service
    current: ImageReference
    reference: ImageReference
    record: ReleaseRecord
    manifest_digest: str
    hold: Hold
    rebuild: ServicePlan | None = None

    @property
    def name(self) -> str:
        """The service's name."""
        return self.service.name


@dataclass(frozen=True, slots=True)
class Chooser:
    """Chooses at one head of the target; `holds` are those in force, `desired` the contents at `source_sha`."""

    git: Git
    environment: Environment
    reader: Reader
    source_sha: str
    desired: Mapping[str, ContentDigest]
    holds: Sequence[Hold]

    def each(self, request: RollbackRequest, at: datetime) -> tuple[tuple[Restoration, ...], dict[str, Terminal]]:
        """The way back of every service that has one, and why the others have none."""
        found: list[Restoration] = []
        failures: dict[str, Terminal] = {}
        for name in request.services:
            try:
                found += self.choose(replace(request, services=(name,)), at)
            except Terminal as error:
                failures[name] = error
        return tuple(found), failures

    def choose(self, request: RollbackRequest, at: datetime) -> tuple[Restoration, ...]:
        """The way back of every service asked for.

        Raises WrongUse for what is no release of one of them, Terminal where one has no earlier verified release,
        PolicyRefused where the release that `to` names is held: nothing is changed then.
        """
        names = dict.fromkeys(request.services)
        if not names or not request.reason.strip() or not request.who.strip():
            raise WrongUse("a rollback needs services, a reason and a name", remedy="give all three")
        return tuple(self._one(self.environment.service(name), request, at) for name in names)

    def _one(self, service: Service, request: RollbackRequest, at: datetime) -> Restoration:
        released = self.reader.read(service)
        reference, record = self._named(service, request.to) if request.to else self._last(service, released)
        if reference == released.reference:
            raise WrongUse(f"it runs {reference} already", service=service.name, remedy="name another release")
        hold = self._hold(service, released, request, at)
        return Restoration(service, released.reference, reference, record, record.manifest_digest, hold)

    def _named(self, service: Service, to: str) -> tuple[ImageReference, ReleaseRecord]:
        records = self.reader.history.of(service.name)
        record = next((each for each in records if to in {each.commit, *each.tags}), None)
        if record is None:
            raise WrongUse(
                f"{to} is no release of it in {self.environment.name}",
                service=service.name,
                remedy="give the full SHA of a release commit, or of the commit that was released",
            )
        if hold := self._held(record):
            raise PolicyRefused(
                f"that release is held: {hold.reason} ({hold.who})",
                service=service.name,
                remedy=f"name another, or lift the hold first: argosy hold {service.name} --lift",
            )
        return self._reference(service, record), record

    def _last(self, service: Service, released: Released) -> tuple[ImageReference, ReleaseRecord]:
        for record in earlier(self.reader.history.of(service.name), released.reference.tag):
            reference = self._verified(service, record)
            if reference and not self._held(record):
                return reference, record
        raise Terminal(
            f"no release of it before {released.reference.tag or 'this one'} was verified",
            service=service.name,
            remedy="name a release with --to, or mend it and release that",
        )

    def _verified(self, service: Service, record: ReleaseRecord) -> ImageReference | None:
        """What `record` released, where Argo CD saw it healthy; where nothing is watched every release counts."""
        if self.environment.watch is None:
            return self._reference(service, record)
        healthy, own = self.reader.verified.get(service.name, ()), self.environment.repository(service)
        found = (each for each in healthy if each.tag in record.tags)
        return min(found, key=lambda each: (each.repository != own, str(each)), default=None)

    def _reference(self, service: Service, record: ReleaseRecord) -> ImageReference:
        try:
            found = state.current_reference(self.git, record.commit, service)
        except ArgosyError:  # its values file lay elsewhere then
            return self.environment.image(service, record.source_sha)
        return found if found.tag in record.tags else self.environment.image(service, record.source_sha)

    def _held(self, record: ReleaseRecord) -> Hold | None:
        """The hold on that very content; one on the service whatever its content keeps nobody from going back."""
        mine = (hold for hold in self.holds if hold.service == record.service)
        held = (h for h in mine if record.content == _content(h) or h.commit == record.source_sha)
        return next(held, None)

    def _hold(self, service: Service, released: Released, request: RollbackRequest, at: datetime) -> Hold:
        """The hold on what is rolled back from; where nothing tells its content, on what a run would release next."""
        record = released.record
        content = record.content if record else self.desired[service.name]
        return Hold(
            service=service.name,
            environment=self.environment.name,
            reason=request.reason.strip(),
            who=request.who.strip(),
            since=at.replace(microsecond=0),
            digest=content.hex,
            recipe=content.recipe,
            commit=record.source_sha if record else self.source_sha,
        )


def _content(hold: Hold) -> ContentDigest | None:
    return ContentDigest(hold.digest, hold.recipe) if hold.digest else None


def earlier(records: Sequence[ReleaseRecord], tag: str) -> Iterable[ReleaseRecord]:
    """The releases from before the one that wrote `tag`, each once, the newest first; all where none wrote it.

    `records` are of one service, the newest first. A release that a rollback restored counts from when it was new.
    """
    first = {record.tags: record for record in records}  # the oldest stands last, and stays
    order = sorted(first.values(), key=records.index)
    before = [record for record in order if tag not in record.tags]
    current = next((record for record in order if tag in record.tags), None)
    return before if current is None else before[order.index(current) :]
