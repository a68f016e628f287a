"""Writing a release back: every reference in one signed commit, pushed by compare and swap, and the verdicts' notes."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from argosy import charts, notes, references, state, trailers
from argosy.commits import Draft, Identity, commit, notes_commit
from argosy.environment import Environment
from argosy.errors import Terminal
from argosy.git import Git
from argosy.mirror import Mirror, PushRejected
from argosy.models import Change, Release, WriteBack
from argosy.release_history import History

logger = logging.getLogger(__name__)

ATTEMPTS = 8
Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes to one environment's target, for one run."""

    mirror: Mirror
    environment: Environment
    identity: Identity
    run: str
    clock: Clock

    def write_back(self, source_sha: str, releases: Sequence[Release], *, adopt: bool = False) -> WriteBack:
        """Write `releases` in one commit on the target's head, whatever it is by then.

        When somebody else's push comes first the edits are applied anew on the new head, at most `ATTEMPTS` times.
        Raises Terminal when the source commit has left its branch or the push is refused, PushRejected (Transient)
        when every attempt lost the race.
        """
        for attempt in range(1, ATTEMPTS + 1):
            self.mirror.update()
            self._check_reachable(source_sha)
            written = self._attempt(source_sha, releases, adopt=adopt)
            if written is not None:
                return replace(written, attempts=attempt)
            logger.info("the target moved meanwhile; applying the edits again (attempt %d)", attempt + 1)
        raise PushRejected(
            f"{self.environment.target_branch} moved under each of {ATTEMPTS} attempts", remedy="run the release again"
        )

    def _attempt(self, source_sha: str, releases: Sequence[Release], *, adopt: bool) -> WriteBack | None:
        head = self.mirror.branch(self.environment.target_branch)
        edits = self._edits(head, source_sha, releases)
        if not edits.files and (edits.ours or not (adopt and edits.recorded)):
            return edits.written(edits.ours)
        message = trailers.message(self.environment.name, source_sha, edits.recorded, self.run)
        made = commit(self.mirror.git, Draft(head, edits.files, message, self.identity, self.clock()))
        try:
            self.mirror.push(made, f"refs/heads/{self.environment.target_branch}", head)
        except PushRejected:
            return None
        return edits.written(made)

    def _edits(self, head: str, source_sha: str, releases: Sequence[Release]) -> _Edits:
        git = self.mirror.git
        reader = state.Reader.open(git, self.environment, head)
        readings, edits = reader.read_all([release.service for release in releases]), _Edits()
        # The file or its key is gone: each such service's affair alone.
        edits.left_out |= {name: str(error) for name, error in readings.failures.items()}
        for release in releases:
            name = release.service.name
            if name not in readings.released:
                continue
            now = readings.released[name]
            if state.is_ahead(git, now, source_sha):
                edits.superseded[name] = f"{now.reference.tag} was released meanwhile, from a newer commit"
            elif _by_hand(reader.history, release, now):
                edits.left_out[name] = f"somebody set it to {now.reference} meanwhile; run again to plan with that"
            else:
                edits.add(git, head, replace(release, expected=now.reference))
                if now.record and now.record.run == self.run and now.reference == release.reference:
                    edits.ours = now.record.commit
        return edits

    def _check_reachable(self, source_sha: str) -> None:
        tip = self.mirror.branch(self.environment.source_branch)
        if not self.mirror.git.is_ancestor(source_sha, tip):
            raise Terminal(
                f"{source_sha[:12]} is not on {self.environment.source_branch} (any more)",
                remedy="release a commit that is on the environment's source branch",
            )

    def record(self, lines: Mapping[str, Sequence[str]]) -> str:
        """Add note lines to the commits they belong to, union with what others wrote, and return the notes commit.

        Raises PushRejected (Transient) when every attempt lost the race.
        """
        ref = notes.ref(self.environment.name)
        for _attempt in range(ATTEMPTS):
            self.mirror.update()
            git = self.mirror.git
            parent = git.ref(ref)
            old = {sha: notes.of(git, parent, sha) for sha in lines}
            new = {sha: notes.union(old[sha], lines[sha]) for sha in lines}
            if parent and new == old:
                return parent
            made = notes_commit(git, parent, new, self.identity, self.clock())
            try:
                self.mirror.push(made, ref, parent)
            except PushRejected:
                continue
            return made
        raise PushRejected(f"{ref} moved under each of {ATTEMPTS} attempts", remedy="run the release again")


def _by_hand(history: History, release: Release, now: state.Released) -> bool:
    """Whether somebody, and no other run, changed the reference since the release was planned."""
    if now.reference in {release.expected, release.reference}:
        return False
    before = release.expected.tag if release.expected else ""
    return now.record is None or history.went_back(release.service.name, before, now.reference.tag)


@dataclass(slots=True)
class _Edits:
    """What one attempt would write, gathered release by release.

    `ours` is the commit by which this run wrote it already, where the answer to its push was lost.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    recorded: list[Release] = field(default_factory=list)
    released: list[str] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    superseded: dict[str, str] = field(default_factory=dict)
    ours: str | None = None

    def written(self, commit: str | None) -> WriteBack:
        """What was written when all of it is in `commit`."""
        return WriteBack(commit, tuple(self.changes), tuple(self.released), self.left_out, self.superseded)

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
