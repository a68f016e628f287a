"""The message of a release commit: words for people, trailers for the next run."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from argosy.git import Git
from argosy.holds.holds import words as words_of_hold
from argosy.models import ContentDigest, Hold, ImageReference, Release, ServicePlan
from argosy.printable import printable

PREFIX = "Argosy-"
ENVIRONMENT, SOURCE, SERVICE, RUN = "Argosy-Environment", "Argosy-Source", "Argosy-Service", "Argosy-Run"
SKIP = " [skip ci]"
"""What ends the subject of a commit that is to start no further runs."""
_SQUASHED = re.compile(r"(Release .+ to|Roll back .+ in|Adopt) \S+ \(#\d+\)")
_CREDITS = re.compile(r"-+|(Co-authored-by: .*\n?)+")
_TRAILER = re.compile(r"([A-Za-z][A-Za-z0-9-]*):\s*(.*)")
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
    return [f"{said}{SKIP}", body] if body else [f"{said}{SKIP}"]


def hold_message(environment: str, verb: str, found: Sequence[Hold], run: str) -> str:
    """The message of a commit that puts or lifts the holds `found` and releases nothing."""
    names = ", ".join(dict.fromkeys(hold.service for hold in found))
    lines = "\n".join(printable(f"{hold.service}: {words_of_hold(hold)}") for hold in found)
    trailers = f"{ENVIRONMENT}: {environment}\n{RUN}: {run}"
    return "\n\n".join([f"{verb} {names} in {environment}{SKIP}", lines, trailers]) + "\n"


def _tag(reference: ImageReference | None) -> str:
    tag = (reference.tag if reference else "") or "(none)"
    return tag if tag.isprintable() else ascii(tag)  # what somebody typed into a chart makes no line of its own


def _record(release: Release) -> str:
    content = release.content
    sha = release.reference.commit
    return f"{release.service.name} {sha} {content.hex} {release.manifest_digest} {content.recipe}"


def records(git: Git, head: str, environment: str) -> tuple[ReleaseRecord, ...]:
    """Every service of every release commit of `environment` that `head` holds, the newest first."""
    log = git.text("log", "-z", "--topo-order", f"--grep=^{ENVIRONMENT}: ", "--format=%H%x00%B", head)
    words = log.split("\0")  # a message holds no NUL
    parsed = (_records(commit.strip(), text) for commit, text in zip(words[::2], words[1::2], strict=False))
    return tuple(record for named, found in parsed if named == environment for record in found)


def of_message(message: str) -> tuple[ReleaseRecord, ...]:
    """Every service of a release commit with that message, which may not be made yet."""
    return tuple(_records("", message)[1])


def run_of(message: str) -> str:
    """The id of the run that wrote a commit with that message; nothing where none of Argosy's did."""
    return " ".join(_block(message).get(RUN, ()))


def _records(commit: str, message: str) -> tuple[str, list[ReleaseRecord]]:
    """The environment that a message names, and its services.

    git itself knows trailers in the last paragraph alone, and GitHub adds paragraphs of its own to what it squashes.
    """
    block = _block(message)
    named, run, source = (" ".join(block.get(key, ())) for key in (ENVIRONMENT, RUN, SOURCE))
    found = (_service_record(commit, run, source, line) for line in block.get(SERVICE, ()))
    return named, [record for record in found if record]


def _block(message: str) -> dict[str, list[str]]:
    """The values of a message's trailers by their keys: of its last paragraph, but for credits that GitHub adds.

    What GitHub squashed of a pull request of ours has them anywhere, with the messages of others' commits behind.
    """
    subject, *paragraphs = re.split(r"\n[ \t]*\n", message.replace("\r\n", "\n").strip())
    while paragraphs and _CREDITS.fullmatch(paragraphs[-1].strip()):
        paragraphs.pop()
    if not _SQUASHED.fullmatch(subject):
        paragraphs = paragraphs[-1:]
    found = (_parsed(paragraph) for paragraph in reversed(paragraphs))
    return next((each for each in found if ENVIRONMENT in each), {})


def _parsed(paragraph: str) -> dict[str, list[str]]:
    """The trailers of a paragraph that has nothing else."""
    rows = [_TRAILER.fullmatch(line.rstrip()) for line in paragraph.strip().splitlines()]
    found: dict[str, list[str]] = {}
    for row in filter(None, rows if all(rows) else ()):
        found.setdefault(row[1], []).append(row[2].strip())
    return found


def _service_record(commit: str, run: str, source: str, line: str) -> ReleaseRecord | None:
    match = _RECORD.fullmatch(line.strip())
    if match is None:  # somebody's own text behind our key; it explains nothing
        return None
    name, sha, content, manifest, recipe = match.groups()
    return ReleaseRecord(name, sha, ContentDigest(content, recipe), manifest, commit, run, source)
