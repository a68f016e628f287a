"""The message of a release commit: words for people, trailers for the next run."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from argosy.git import Git
from argosy.holds import words as words_of_hold
from argosy.models import ContentDigest, Hold, ImageReference, Release, ServicePlan
from argosy.printable import printable

PREFIX = "Argosy-"
ENVIRONMENT, SOURCE, SERVICE, RUN = "Argosy-Environment", "Argosy-Source", "Argosy-Service", "Argosy-Run"
_RECORD = re.compile(r"(\S+) ([0-9a-f]{40}) ([0-9a-f]{64}) (sha256:[0-9a-f]{64}) (\S+)")


@dataclass(frozen=True, slots=True)
class ReleaseRecord:
    """What a release commit says of one service: what was released from which source commit, as which manifest.

    `run` is the id of the run that wrote it, and `released_from` the commit that this run released.
    """

    service: str
    source_sha: str
    content: ContentDigest
    manifest_digest: str
    commit: str
    run: str = ""
    released_from: str = ""

    @property
    def tags(self) -> tuple[str, str]:
        """The tags under which Argosy may have written this release."""
        return self.source_sha, long_tag(self.source_sha, self.manifest_digest)


def long_tag(sha: str, manifest_digest: str) -> str:
    """The tag for a commit whose SHA already names another manifest in the repository."""
    return f"{sha}-{manifest_digest.removeprefix('sha256:')[:12]}"


def words(environment: str, planned: Sequence[ServicePlan]) -> str:
    """The message of the commit that would release `planned`, without its trailers; nothing where nothing is."""
    changes = [_Change(item.name, item.current, item.wanted) for item in planned]
    return "\n\n".join(_words(environment, changes)) if changes else ""


def message(environment: str, source_sha: str, releases: Sequence[Release], run: str, because: str = "") -> str:
    """The whole message of the commit that releases `releases`; adoption may change no reference at all.

    With `because` it restores earlier ones, and that is why.
    """
    changes = [_Change(item.service.name, item.expected, item.reference) for item in releases]
    paragraphs = _words(environment, changes, "Roll back {} in {}" if because else "Release {} to {}")
    trailers = [
        f"{ENVIRONMENT}: {environment}",
        f"{SOURCE}: {source_sha}",
        *(f"{SERVICE}: {_record(item)}" for item in releases),
        f"{RUN}: {run}",
    ]
    reason = [printable(because)] if because else []
    return "\n\n".join([*paragraphs, *reason, "\n".join(trailers)]) + "\n"


@dataclass(frozen=True, slots=True)
class _Change:
    service: str
    old: ImageReference | None
    new: ImageReference


def _words(environment: str, changes: Sequence[_Change], subject: str = "Release {} to {}") -> list[str]:
    changed = [item for item in changes if item.old != item.new]
    names = ", ".join(item.service for item in changed)
    said = subject.format(names, environment) if changed else f"Adopt {environment}"
    body = "\n".join(f"{item.service}: {_tag(item.old)} -> {item.new.tag}" for item in changed)
    return [f"{said} [skip ci]", body] if body else [f"{said} [skip ci]"]


def hold_message(environment: str, verb: str, found: Sequence[Hold], run: str) -> str:
    """The message of a commit that puts or lifts the holds `found` and releases nothing."""
    names = ", ".join(dict.fromkeys(hold.service for hold in found))
    lines = "\n".join(printable(f"{hold.service}: {words_of_hold(hold)}") for hold in found)
    trailers = f"{ENVIRONMENT}: {environment}\n{RUN}: {run}"
    return "\n\n".join([f"{verb} {names} in {environment} [skip ci]", lines, trailers]) + "\n"


def _tag(reference: ImageReference | None) -> str:
    tag = (reference.tag if reference else "") or "(none)"
    return tag if tag.isprintable() else ascii(tag)  # what somebody typed into a chart makes no line of its own


def _record(release: Release) -> str:
    content = release.content
    sha = release.reference.commit
    return f"{release.service.name} {sha} {content.hex} {release.manifest_digest} {content.recipe}"


def records(git: Git, head: str, environment: str) -> tuple[ReleaseRecord, ...]:
    """Every service of every release commit of `environment` that `head` holds, the newest first."""
    keys = (ENVIRONMENT, RUN, SOURCE, SERVICE)
    fields = "%x00".join(f"%(trailers:key={key},valueonly,separator=%x1e)" for key in keys)
    log = git.text("log", "-z", "--topo-order", f"--grep=^{ENVIRONMENT}: ", f"--format=%H%x00{fields}", head)
    return tuple(_parsed(log.split("\0"), environment))


def _parsed(words: Sequence[str], environment: str) -> Iterable[ReleaseRecord]:
    # A message holds no NUL: whatever it says, these are the fields of git's own.
    for commit, named, run, source, services in zip(*(words[start::5] for start in range(5)), strict=False):
        if named.strip() == environment:
            lines = services.split("\x1e")
            yield from filter(None, (_service_record(commit, run.strip(), source.strip(), line) for line in lines))


def _service_record(commit: str, run: str, source: str, line: str) -> ReleaseRecord | None:
    match = _RECORD.fullmatch(line.strip())
    if match is None:  # somebody's own text behind our key; it explains nothing
        return None
    name, sha, content, manifest, recipe = match.groups()
    return ReleaseRecord(name, sha, ContentDigest(content, recipe), manifest, commit, run, source)
