"""The history of a contest, read to its end: whether anybody's work was lost, doubled, or written over."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from argosy.batches import contents
from argosy.git import Git
from argosy.models import WriteBack
from argosy.trailers import RUN

_TAG = re.compile(rb"^  tag: \"?([^\"\s]+)", re.MULTILINE)
_SERVICE = re.compile(r"src/([^/]+)/chart/values\.yaml")


@dataclass(frozen=True, slots=True)
class Claim:
    """What a run says that it wrote back of the source commit `source`."""

    run: str
    source: str
    written: WriteBack


@dataclass(frozen=True, slots=True)
class Chronicle:
    """What is wrong with a history, in words, and the commits of the others that it holds."""

    faults: tuple[str, ...]
    theirs: tuple[str, ...]

    @classmethod
    def read(cls, git: Git, claims: Sequence[Claim], theirs: Sequence[str]) -> Chronicle:
        """Read the history of `main` against what the runs claim, and what the others pushed."""
        order = git.text("rev-list", "--reverse", "--first-parent", "main").splitlines()
        position = {sha: number for number, sha in enumerate(order)}
        tags = _tags(git, order)
        lost = [f"{sha} of the other is lost" for sha in theirs if sha not in position]
        faults = (*lost, *_denied(claims, position, tags), *_doubled(git), *_backwards(order, position, tags))
        return cls(faults, tuple(theirs))


def _tags(git: Git, order: Sequence[str]) -> dict[str, dict[str, str]]:
    """The tag of each service that a commit wrote, by commit."""
    listing = git.text("log", "--reverse", "--first-parent", "--raw", "--no-abbrev", "--format=%H", "main")
    places: list[tuple[str, str, str]] = []
    commit = order[0]
    for line in listing.splitlines():
        if line in order[:1] or len(line) == 40:
            commit = line
        elif line.startswith(":") and (found := _SERVICE.search(line)):
            places.append((commit, found[1], line.split()[3]))
    tags: dict[str, dict[str, str]] = defaultdict(dict)
    for (sha, service, _), text in zip(places, contents(git, [blob for _, _, blob in places]), strict=True):
        found_tag = _TAG.search(text or b"")
        tags[sha][service] = found_tag[1].decode() if found_tag else ""
    return tags


def _denied(claims: Sequence[Claim], position: dict[str, int], tags: dict[str, dict[str, str]]) -> Iterator[str]:
    """What a run claims and the history has not."""
    for claim in claims:
        commit = claim.written.commit
        if commit is None:
            continue
        if commit not in position:
            yield f"{claim.run}'s commit {commit} is lost"
        changed = {change.file.split("/")[1] for change in claim.written.changes}
        if {name for name, tag in tags[commit].items() if tag == claim.source} != changed:
            yield f"{claim.run}'s commit {commit} is not what the run says that it wrote"


def _doubled(git: Git) -> Iterator[str]:
    runs = Counter(re.findall(rf"^{RUN}: (.+)$", git.text("log", "--format=%B", "main"), re.MULTILINE))
    yield from (f"{run} made {times} commits" for run, times in runs.items() if times > 1)


def _backwards(order: Sequence[str], position: dict[str, int], tags: dict[str, dict[str, str]]) -> Iterator[str]:
    newest: dict[str, int] = {}
    for commit in order:
        for service, tag in tags[commit].items():
            if tag in position:
                if position[tag] < newest.get(service, -1):
                    yield f"{service} went back to {tag} in {commit}"
                newest[service] = position[tag]
            elif service in newest:
                yield f"{service} was set to {tag} in {commit}"
