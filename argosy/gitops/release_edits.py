"""What a release would write upon one head of the target, service by service: new references, and who is left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from argosy import state
from argosy.edits import charts, references
from argosy.edits.rendered import Image
from argosy.environment import Environment
from argosy.errors import Terminal
from argosy.git import Git
from argosy.gitops.delivery import Delivered
from argosy.gitops.render_check import Edited, RenderCheck
from argosy.holds import holds
from argosy.holds.coverage import covers
from argosy.inputs.digests import Digests
from argosy.models import Change, Release, WriteBack
from argosy.release_history import History


@dataclass(slots=True)
class Edits:
    """What one attempt would write, gathered release by release.

    `ours` is the commit by which this run wrote it already, where the answer to its push was lost; `edited` has the
    services of which something changes, and their images.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    recorded: list[Release] = field(default_factory=list)
    released: list[str] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    superseded: dict[str, str] = field(default_factory=dict)
    held: dict[str, str] = field(default_factory=dict)
    ours: str | None = None
    edited: list[Edited] = field(default_factory=list)

    def written(self, delivered: Delivered) -> WriteBack:
        """What was written when all of it is where it was `delivered` to; what was declined is held."""
        changes, released, held = tuple(self.changes), tuple(self.released), self.held
        if delivered.declined:
            changes, released, held = (), (), held | dict.fromkeys(released, delivered.declined)
        commit, pull_request = delivered.commit or self.ours, delivered.pull_request
        found = (changes, released, self.left_out, self.superseded)
        return WriteBack(None if pull_request else commit, *found, held=held, pull_request=pull_request)

    def add(self, git: Git, head: str, release: Release) -> None:
        """Take one release in; what its file carries already is edited no more, and a broken file is left out."""
        service, file = release.service, release.service.values_path
        before = self.files.get(file) or git.file(head, file) or b""  # several services may share a file
        try:
            wanted = references.values(service.keys, release.reference, release.manifest_digest, before, file)
            text, changes = charts.edit(before, wanted, file, create=True)
        except Terminal as error:
            self.left_out[service.name] = str(error)
            return
        self.recorded.append(release)
        self.released.append(service.name)
        if changes:
            self.files[file] = text
            self.changes.extend(changes)
            self.edited.append(Edited(service, Image.written(service.keys, wanted)))

    def checked(self, check: RenderCheck | None, git: Git, head: str) -> Edits:
        """The same without the services whose charts, edited so, do not render to their images; raises as `check`."""
        found = self
        while check and found.edited and (refused := check.refused(git, head, found.edited, found.files)):
            found = found._without(refused, git, head)
        return found

    def _without(self, refused: Mapping[str, str], git: Git, head: str) -> Edits:
        left_out = self.left_out | dict(refused)
        found = replace(self, files={}, changes=[], recorded=[], released=[], edited=[], left_out=left_out)
        for release in self.recorded:  # made anew: several services may share a file
            if release.service.name not in refused:
                found.add(git, head, release)
        return found


@dataclass(frozen=True, slots=True)
class Upon:
    """A head of the target, and the run called `run` that would write to it `at` some time.

    `source_tip` is the tip of the source branch, as `Reader.open` takes it; `render_check` renders what is edited.
    """

    git: Git
    environment: Environment
    head: str
    run: str
    at: datetime
    source_tip: str | None = None
    render_check: RenderCheck | None = None


def edits(upon: Upon, source_sha: str, releases: Sequence[Release]) -> Edits:
    """What the run would write of `releases`.

    Holds are read there too: one that was put since the release was planned stops its service, and no other. Raises
    ConfigurationError where the file of holds is wrong, and as `RenderCheck.refused` does.
    """
    git, environment = upon.git, upon.environment
    reader = state.Reader.open(git, environment, upon.head, upon.source_tip)
    readings, found = reader.read_all([release.service for release in releases]), Edits()
    # The file or its key is gone: each such service's affair alone.
    found.left_out |= {name: str(error) for name, error in readings.failures.items()}
    found.held |= _held(upon, source_sha, releases)
    ahead = state.ahead(git, readings.released, source_sha)
    for release in releases:
        name = release.service.name
        if name not in readings.released:
            continue
        now = readings.released[name]
        if now.record and now.record.run == upon.run and now.reference == release.reference:
            found.ours = now.record.commit
            found.held.pop(name, None)  # it was put after our push, whose answer was lost
        if name in found.held:
            continue
        if name in ahead:
            found.superseded[name] = f"{now.reference.tag} was released meanwhile, from a newer commit"
        elif _by_hand(reader.history, release, now):
            found.left_out[name] = f"somebody set it to {now.reference} meanwhile; run again to plan with that"
        else:
            found.add(git, upon.head, replace(release, expected=now.reference))
    return found.checked(upon.render_check, git, upon.head)


def _held(upon: Upon, source_sha: str, releases: Sequence[Release]) -> dict[str, str]:
    """The services that a hold in force covers with what is to be written, and what it says."""
    written = holds.in_force(holds.read(upon.git, upon.head), upon.environment.name, upon.at)
    digests, contents = Digests(upon.git, upon.environment), {each.service.name: each.content for each in releases}
    covering = (
        hold
        for hold in written
        if hold.service in contents and covers(hold, digests, source_sha, contents[hold.service])
    )
    return {hold.service: holds.words(hold) for hold in covering}


def _by_hand(history: History, release: Release, now: state.Released) -> bool:
    """Whether somebody, and no other run, changed the reference since the release was planned."""
    if now.reference in {release.expected, release.reference}:
        return False
    before = release.expected.tag if release.expected else ""
    return now.record is None or history.went_back(release.service.name, before, now.reference.tag)
