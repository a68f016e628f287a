"""The message of a release commit: words for people, trailers for the next run."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from argosy.git import Git
from argosy.models import ContentDigest, Release

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


def message(environment: str, source_sha: str, releases: Sequence[Release], run: str) -> str:
    """The whole message of the commit that releases `releases`; adoption may change no reference at all."""
    changed = [item for item in releases if item.expected != item.reference]
    names = ", ".join(item.service.name for item in changed)
    subject = f"Release {names} to {environment} [skip ci]" if changed else f"Adopt {environment} [skip ci]"
    body = [f"{item.service.name}: {_tag(item)} -> {item.reference.tag}" for item in changed]
    trailers = [
        f"{ENVIRONMENT}: {environment}",
        f"{SOURCE}: {source_sha}",
        *(f"{SERVICE}: {_record(item)}" for item in releases),
        f"{RUN}: {run}",
    ]
    paragraphs = [subject, "\n".join(body), "\n".join(trailers)]
    return "\n\n".join(part for part in paragraphs if part) + "\n"


def _tag(release: Release) -> str:
    tag = (release.expected.tag if release.expected else "") or "(none)"
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
