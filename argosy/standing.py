"""Both sides of an environment, read from git: what a plan is made from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from argosy import notes, state
from argosy.errors import Terminal
from argosy.holds import hands, holds
from argosy.holds.coverage import covers
from argosy.holds.hands import Hand
from argosy.inputs.comparison import Compared, compare
from argosy.inputs.digests import Digests, Survey
from argosy.inputs.snapshot import described_by
from argosy.models import ContentDigest, Hold
from argosy.release_history import History
from argosy.state import Reader, Released


@dataclass(frozen=True, slots=True)
class Presence:
    """What the registry has of a service: the image of the desired content, and the one its chart names.

    Each is true where nothing depends on it, so that nobody asked. `away` says that the service's own registry did not
    answer, and what was asked is the one that stands in for it.
    """

    content: bool
    current: bool
    away: bool = False


@dataclass(frozen=True, slots=True)
class Situation:
    """Both sides of one environment, as a plan compares them; each mapping is by service.

    `compared` says of each service that has a release behind it how that content stands to the desired one, `held` what
    holds it. `ahead` names the services released from newer commits, `hidden` those whose history a shallow clone does
    not have. `presence` is empty where the registry was not asked. `failures` are the services that cannot be planned,
    `base_images` the external images that were looked up for a service, with their digests.
    """

    source_sha: str
    target_sha: str
    desired: Mapping[str, ContentDigest]
    released: Mapping[str, Released]
    compared: Mapping[str, Compared] = field(default_factory=dict)
    held: Mapping[str, Hold] = field(default_factory=dict)
    ahead: frozenset[str] = frozenset()
    hidden: frozenset[str] = frozenset()
    presence: Mapping[str, Presence] = field(default_factory=dict)
    failures: Mapping[str, Terminal] = field(default_factory=dict)
    base_images: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)

    def asked(self, presence: Mapping[str, Presence]) -> Situation:
        """The same with what the registry has."""
        return replace(self, presence=presence)


def look(digests: Digests, source_sha: str, target_sha: str, at: datetime, source_tip: str | None = None) -> Situation:
    """The situation of the digests' environment at a source and a target commit; `at` decides which holds expired.

    `source_tip` is the tip of the source branch, as `Reader.open` takes it. Raises ConfigurationError where the
    file of holds is wrong.
    """
    if digests.git.partial:
        digests.git.bring(_reading(digests, source_sha, target_sha))
    look = _Look(digests, source_sha, target_sha, Reader.open(digests.git, digests.environment, target_sha, source_tip))
    return look.situation(at)


def _reading(digests: Digests, source_sha: str, target_sha: str) -> Iterator[str]:
    """The files that every plan reads."""
    environment = digests.environment
    yield from notes.blobs(digests.git, environment.name)
    yield f"{target_sha}:{holds.FILE}"
    for service in environment.services:
        yield f"{target_sha}:{service.values_path}"
        yield from (f"{source_sha}:{path}" for path in described_by(service))


@dataclass(frozen=True, slots=True)
class _Look:
    digests: Digests
    source_sha: str
    target_sha: str
    reader: Reader

    def situation(self, at: datetime) -> Situation:
        git, environment = self.digests.git, self.digests.environment
        desired, readings = self.digests.survey(self.source_sha), self.reader.read_all(environment.services)
        released = readings.released
        compared = self._compared(desired, released)
        references = {each: released[each.name].reference for each in environment.services if each.name in released}
        by_hand = hands.find(git, self.target_sha, references, self.reader.history)
        every = holds.read(git, self.target_sha)
        known = holds.hands(every, environment.name)
        new = {name: hand for name, hand in by_hand.items() if (name, hand.commit) not in known}
        written = holds.in_force(every, environment.name, at)
        held = self._by_hand(desired, released, compared, new) | self._held(desired, released, compared, written)
        return Situation(
            source_sha=self.source_sha,
            target_sha=self.target_sha,
            desired=desired.contents,
            released=released,
            compared=compared,
            held=held,
            ahead=state.ahead(git, released, self.source_sha),
            hidden=frozenset(name for name, hand in by_hand.items() if hand.hidden),
            failures=desired.failures | readings.failures,
            base_images=self.digests.base_images(self.source_sha),
        )

    def _compared(self, desired: Survey, released: Mapping[str, Released]) -> dict[str, Compared]:
        at_hand = {name: item.source_sha for name, item in released.items() if item.source_sha and item.at_hand}
        found = compare(self.digests, self.source_sha, {n: sha for n, sha in at_hand.items() if n in desired.contents})
        rest = {name: item for name, item in released.items() if name not in found and name in desired.contents}
        for name, item in rest.items():
            if item.record:
                found[name] = Compared(self.digests.recorded(self.source_sha, name, item.record.content))
        # Somebody typed a commit from before argosy.yaml was there: nothing else can say how it would be built.
        early = {name: at_hand[name] for name in rest if name not in found and name in at_hand}
        return found | compare(self.digests, self.source_sha, early, assume=self.digests.environment)

    def _held(
        self,
        desired: Survey,
        released: Mapping[str, Released],
        compared: Mapping[str, Compared],
        written: Sequence[Hold],
    ) -> dict[str, Hold]:
        """What the file of holds covers; a hand's hold ends where the reference is the wanted one."""
        found: dict[str, Hold] = {}
        for hold in written:
            name = hold.service
            if name not in desired.contents or name in found:
                continue
            lifted = hold.by_hand and name in released and self._right(name, released[name], compared)
            if not lifted and covers(hold, self.digests, self.source_sha, desired.contents[name]):
                found[name] = hold
        return found

    def _by_hand(
        self,
        desired: Survey,
        released: Mapping[str, Released],
        compared: Mapping[str, Compared],
        by_hand: Mapping[str, Hand],
    ) -> dict[str, Hold]:
        """The references that a hand changed to another than the wanted one, with content that is as it was then."""
        wrong = {
            name: hand
            for name, hand in by_hand.items()
            if name in desired.contents and not hand.hidden and not self._right(name, released[name], compared)
        }
        then = {name: self._content_then(hand) for name, hand in wrong.items()}
        since = compare(self.digests, self.source_sha, {name: commit for name, commit in then.items() if commit})
        return {
            name: self._hold(name, hand, released[name], desired.contents[name])
            for name, hand in wrong.items()
            if name not in since or since[name].same  # what cannot be told is a person's all the same
        }

    def _right(self, name: str, released: Released, compared: Mapping[str, Compared]) -> bool:
        environment = self.digests.environment
        wanted = environment.repository(environment.service(name))
        return name in compared and compared[name].same and released.reference.repository == wanted

    def _content_then(self, hand: Hand) -> str | None:
        """The commit whose content was desired when the hand wrote."""
        if self.digests.environment.writes_to_source:
            return hand.commit
        return released_before(self.digests, self.reader.history, hand.commit)

    def _hold(self, name: str, hand: Hand, released: Released, content: ContentDigest) -> Hold:
        reason = f"{released.reference} was set by hand in {hand.commit[:12]}"
        return Hold(
            service=name,
            environment=self.digests.environment.name,
            reason=reason,
            who=hand.who,
            since=hand.when,
            digest=content.hex,
            recipe=content.recipe,
            commit=self.source_sha,
            by_hand=True,
            hand=hand.commit,
            written=False,
        )


def released_before(digests: Digests, history: History, commit: str) -> str | None:
    """The source commit of the last release before the target's `commit`, where it is at hand."""
    git = digests.git
    for record in history.records:
        if record.commit != commit and git.is_ancestor(record.commit, commit):
            return record.released_from if git.is_commit(record.released_from) else None
    return None
