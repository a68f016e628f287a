"""What differs between commits, read from git's trees: every file once, by its old and its new place."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from argosy.changes.touched import Change
from argosy.git import Git, environment, failed

NOTHING = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
"""The empty tree, which git knows without having it: against it everything counts as added."""

# A rename is a file deleted and one added; mode and type changes and submodules count, whatever is configured.
_HOW = ("-r", "-z", "--no-renames", "--name-status", "--ignore-submodules=none")
_STATUSES = {"A": "added", "D": "deleted", "M": "modified", "T": "modified"}
_PIECE = 1 << 16


@dataclass(frozen=True, slots=True)
class Step:
    """A commit and the one before it on the first-parent line; None before the first."""

    base: str | None
    head: str


def between(git: Git, base: str, head: str) -> list[Change]:
    """What differs between two trees or commits, both named by full ids."""
    return list(_changes(git.text("diff-tree", *_HOW, base, head, "--").split("\0")))


def of_any(git: Git, bases: Sequence[str], head: str) -> list[Change]:
    """What differs between `head` and any of `bases`."""
    found = (change for base in bases for change in between(git, base, head))
    return list(dict.fromkeys(found)) if len(bases) > 1 else list(found)


def steps(git: Git, base: str | None, head: str) -> list[Step]:
    """The first-parent commits after `base`, or all of them, up to `head`, the oldest first."""
    bounds = [head] if base is None else [head, f"^{base}"]
    listed = git.text("rev-list", "--first-parent", "--reverse", "--parents", *bounds, "--")
    rows = [line.split(" ") for line in listed.splitlines()]
    return [Step(row[1] if len(row) > 1 else None, row[0]) for row in rows]


def along(git: Git, walked: Iterable[Step]) -> Iterator[tuple[Step, list[Change]]]:
    """Each step with what it changes, in order; one git process tells them all."""
    waiting = list(walked)
    told = _told(git, waiting)
    commit, changes = next(told, ("", []))
    for step in waiting:
        if commit != step.head:  # git is silent about a commit that changes nothing
            yield step, []
            continue
        yield step, changes
        commit, changes = next(told, ("", []))


def _told(git: Git, walked: Sequence[Step]) -> Iterator[tuple[str, list[Change]]]:
    command = ["git", "-C", str(git.directory), "diff-tree", "--stdin", "--root", *_HOW]
    import tempfile  # late: only a history needs it

    with tempfile.TemporaryFile() as asked:  # a pipe would fill up while nobody reads the answers
        asked.writelines(f"{step.head} {step.base or ''}".strip().encode() + b"\n" for step in walked)
        asked.seek(0)
        with subprocess.Popen(
            command, stdin=asked, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()
        ) as process:
            try:
                yield from _grouped(_tokens(process))
                errors = process.stderr.read() if process.stderr else b""
            finally:
                process.kill()
        if errors or process.returncode > 0:
            raise git.failure(failed("diff-tree", errors.decode(errors="replace")))


def _grouped(tokens: Iterator[str]) -> Iterator[tuple[str, list[Change]]]:
    commit, own = "", list[str]()
    for token in tokens:
        if len(token) == 1:
            own += (token, next(tokens))
            continue
        if commit:
            yield commit, list(_changes(own))
        commit, own = token, []
    if commit:
        yield commit, list(_changes(own))


def _tokens(process: subprocess.Popen[bytes]) -> Iterator[str]:
    rest = b""
    while process.stdout and (piece := process.stdout.read(_PIECE)):
        *whole, rest = (rest + piece).split(b"\0")
        for token in whole:
            yield token.decode(errors="surrogateescape")


def _changes(tokens: Sequence[str]) -> Iterator[Change]:
    pairs = iter(tokens)
    for letter, path in zip(pairs, pairs, strict=False):
        yield Change(_STATUSES.get(letter, "modified"), path)
