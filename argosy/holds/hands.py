"""Who changed a service's reference last: a release of Argosy's, or a person's hand, through merges and shallow clones.

The last commit that changed the reference in the values file decides. A merge changed it only if its value differs from
every parent's.
"""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from argosy.batches import contents
from argosy.edits.references import read_reference
from argosy.errors import Terminal
from argosy.git import Git
from argosy.models import ImageReference, Service
from argosy.release_history import History

_MARK = re.compile("\x01([0-9a-f]{40})\x01")


@dataclass(frozen=True, slots=True)
class Hand:
    """The commit by which somebody changed a reference that Argosy had released, and who they are.

    `hidden` says that the clone is shallow there: it may as well have been a release before that.
    """

    commit: str
    who: str
    when: datetime
    hidden: bool = False


def find(git: Git, head: str, references: Mapping[Service, ImageReference], history: History) -> dict[str, Hand]:
    """The services, by name, whose reference at the target's commit `head` is not as a release of theirs left it.

    Services that no release ever named have none: there is nothing of Argosy's that a hand could have changed.
    """
    released = {service: reference for service, reference in references.items() if history.of(service.name)}
    doubtful = {service: ref for service, ref in released.items() if not _newest(history, service, ref)}
    rest = {service: reference for service, reference in released.items() if service not in doubtful}
    doubtful |= _changed_since(git, head, rest, history)
    shallow = _shallow(git) if doubtful else frozenset()
    changes = {service: _last_change(git, head, service, reference) for service, reference in doubtful.items()}
    return {
        service.name: _hand(git, commit, hidden=commit in shallow)
        for service, commit in changes.items()
        if _is_hand(git, history, service, released[service], commit, hidden=commit in shallow)
    }


def _newest(history: History, service: Service, reference: ImageReference) -> bool:
    """Whether the newest release of the service left it as it is."""
    return reference.tag in history.of(service.name)[0].tags


def _is_hand(
    git: Git, history: History, service: Service, reference: ImageReference, commit: str, *, hidden: bool
) -> bool:
    if hidden:
        return True
    records = {record.commit for record in history.of(service.name)}
    after = any(git.is_ancestor(record, commit) for record in records - {commit})
    return after and not history.wrote(commit, service.name, reference.tag)


def _changed_since(
    git: Git, head: str, references: Mapping[Service, ImageReference], history: History
) -> dict[Service, ImageReference]:
    """Those of the services whose values file held another reference in, or at some commit since, their newest release.

    Where nothing touches the file since, it is as that release left it.
    """
    touches = _touches(git, head, list(references), history) if references else {}
    since = {service: touches[service.name] for service in references if touches.get(service.name)}
    asked = [(each, commit) for each, some in since.items() for commit in (*some, history.of(each.name)[0].commit)]
    texts = contents(git, (f"{commit}:{service.values_path}" for service, commit in asked))
    return {
        service: references[service]
        for (service, _), text in zip(asked, texts, strict=True)
        if _value(text, service) != references[service]
    }


def _touches(git: Git, head: str, services: Sequence[Service], history: History) -> dict[str, list[str]]:
    """For each service the commits since its newest release that touch its values file."""
    waiting: dict[str, list[Service]] = defaultdict(list)
    for service in services:
        waiting[history.of(service.name)[0].commit].append(service)
    seen: dict[str, list[str]] = defaultdict(list)
    found: dict[str, list[str]] = {}
    for commit, files in _log(git, head, services, history):
        found |= {service.name: [*seen[service.values_path]] for service in waiting.pop(commit, ())}
        if not waiting:
            break
        for file in files:
            seen[file].append(commit)
    return {service.name: found.get(service.name, seen[service.values_path]) for service in services}


def _log(git: Git, head: str, services: Sequence[Service], history: History) -> Iterator[tuple[str, AbstractSet[str]]]:
    """Every commit after the first release, the newest first, with the values files that it touches.

    A merge touches what no parent has.
    """
    wanted = {service.values_path for service in services}
    common = posixpath.commonpath(wanted)
    # A folder that all lie in spares git the others; a pattern for the files would cost more than it spares.
    within = [f":(top,literal){common}"] if common else []
    arguments = ("log", "--topo-order", "-c", "-z", "--name-only", "--no-renames", "--format=%x01%H%x01")
    output = git.run(*arguments, f"{history.first_commit}..{head}", "--", *within)
    parts = _MARK.split(output.decode(errors="surrogateescape"))
    for commit, files in zip(parts[1::2], parts[2::2], strict=True):
        yield commit, wanted.intersection(files.strip("\n\0").split("\0"))


def _shallow(git: Git) -> frozenset[str]:
    """The commits whose parents a shallow clone does not have."""
    folder = Path(git.directory, git.text("rev-parse", "--git-common-dir"))
    file = folder / "shallow"
    return frozenset(file.read_text().split()) if file.exists() else frozenset()


def _last_change(git: Git, head: str, service: Service, reference: ImageReference) -> str:
    """The commit that gave the service `reference`, found by following the parents that have it already."""
    listing = git.text("rev-list", "--topo-order", "--parents", "--full-history", head, "--", service.values_path)
    parents = {row[:40]: row.split()[1:] for row in listing.split("\n") if row}
    values = _values(git, parents, service)
    commit = next(iter(parents))
    while True:
        before = next((parent for parent in parents.get(commit, ()) if values.get(parent) == reference), None)
        if before is None:
            return commit
        commit = before


def _values(git: Git, commits: Iterable[str], service: Service) -> dict[str, ImageReference | None]:
    asked = list(commits)
    texts = contents(git, (f"{commit}:{service.values_path}" for commit in asked))
    return {commit: _value(text, service) for commit, text in zip(asked, texts, strict=True)}


def _value(text: bytes | None, service: Service) -> ImageReference | None:
    try:
        return read_reference(text, service.values_path, service.keys) if text else None
    except Terminal:
        return None


def _hand(git: Git, commit: str, *, hidden: bool) -> Hand:
    who, when = git.text("log", "-1", "--no-walk", "--format=%an%x00%cI", commit).split("\0")
    return Hand(commit, who, datetime.fromisoformat(when), hidden)
