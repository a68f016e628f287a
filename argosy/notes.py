"""What was verified: one JSON line a service and verdict, in git notes on the release commits."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from argosy.git import Git
from argosy.models import Health, ImageReference, Verdict

MESSAGE = "Argosy verdicts\n"
"""The message of every commit of a notes ref."""
_PREFIX = "refs/notes/argosy"


def ref(environment: str) -> str:
    """The notes ref of an environment."""
    return f"{_PREFIX}/{environment}"


@dataclass(frozen=True, slots=True)
class Verified:
    """A reference of a service that Argo CD brought up healthy."""

    service: str
    reference: ImageReference


def line(verdict: Verdict, manifest_digest: str | None, run: str, at: datetime) -> str:
    """The note of one verdict: a JSON object on one line, keys in a stable order."""
    fields = {
        "service": verdict.service,
        "repository": verdict.reference.repository,
        "tag": verdict.reference.tag,
        "digest": manifest_digest,
        "verdict": verdict.health.value,
        "reason": verdict.reason,
        "revision": verdict.revision,
        "run": run,
        "at": at.isoformat(),
    }
    return json.dumps(fields, sort_keys=True)


def blobs(git: Git, environment: str) -> tuple[str, ...]:
    """The ids of all the environment's notes."""
    if git.ref(ref(environment)) is None:
        return ()
    return tuple(entry.object_id for entry in git.tree(ref(environment)))


def verified(git: Git, environment: str) -> frozenset[Verified]:
    """Every reference that some line of the environment's notes says was healthy."""
    ids = blobs(git, environment)
    notes = git.objects(ids) if ids else ()
    lines = (row for note in notes if note for row in note.decode(errors="replace").split("\n"))
    return frozenset(_healthy(lines))


def of(git: Git, head: str | None, commit: str) -> bytes:
    """The note on `commit` in the notes commit `head`; empty where there is none."""
    entries = git.tree(head) if head else ()
    found = next((entry for entry in entries if entry.path.replace("/", "") == commit), None)
    return (next(iter(git.objects([found.object_id]))) if found else None) or b""


def _healthy(lines: Iterable[str]) -> Iterable[Verified]:
    for row in lines:
        try:
            fields = json.loads(row)
        except (ValueError, RecursionError):  # a line of somebody else's: it verifies nothing
            continue
        if isinstance(fields, Mapping) and fields.get("verdict") == Health.HEALTHY.value:
            reference = ImageReference(str(fields.get("repository")), str(fields.get("tag")))
            yield Verified(str(fields.get("service")), reference)


def union(old: bytes, lines: Iterable[str]) -> bytes:
    """The lines of `old` and `lines`, each once, in a stable order."""
    every = {*old.decode(errors="surrogateescape").split("\n"), *lines}
    text = "\n".join(sorted(row for row in every if row.strip()))
    return f"{text}\n".encode(errors="surrogateescape")
