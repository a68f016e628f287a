"""The state of the user's repository: whether it is whole, and whether somebody is in the middle of something."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from argosy.doctor.findings import Finding, Level
from argosy.errors import Transient
from argosy.git import Git, GitError

_WHAT = "repository"
_FSCK_SECONDS = 30.0
_UNFINISHED = {
    "rebase-merge": ("rebase", "git rebase --continue or git rebase --abort"),
    "rebase-apply": ("rebase", "git rebase --continue, git rebase --abort or git am --abort"),
    "MERGE_HEAD": ("merge", "git merge --continue or git merge --abort"),
    "CHERRY_PICK_HEAD": ("cherry-pick", "git cherry-pick --continue or git cherry-pick --abort"),
    "REVERT_HEAD": ("revert", "git revert --continue or git revert --abort"),
    "BISECT_LOG": ("bisect", "git bisect reset"),
}


def check(root: Path) -> tuple[Finding, ...]:
    """Whether `root` is a repository, whole, sound, and in no unfinished rebase, merge or the like."""
    git = Git(root)
    try:
        top = Path(git.text("rev-parse", "--show-toplevel"))
    except GitError as error:
        named = "not a git repository" in error.stderr
        remedy = "name the folder of a clone with --repo" if named else error.remedy or ""
        return (Finding(Level.WRONG, _WHAT, str(root), error.message, remedy),)
    found = [*_empty(git, root), *_unfinished(git, root), *_shallow(git, root), *_damaged(git, root)]
    if top.resolve() != root.resolve():
        remedy = f"name {top} with --repo: argosy.yaml lies at the repository's root"
        found.append(Finding(Level.WRONG, _WHAT, str(root), "is a folder below the repository's root", remedy))
    return tuple(found) or (Finding(Level.GOOD, _WHAT, str(root), "whole and sound, nothing unfinished"),)


def _empty(git: Git, root: Path) -> Iterator[Finding]:
    if not git.text("rev-list", "--max-count=1", "--all"):
        yield Finding(
            Level.WRONG, _WHAT, str(root), "holds no commit yet", "commit what is to be released, and push it"
        )


def _unfinished(git: Git, root: Path) -> Iterator[Finding]:
    for name, (what, remedy) in _UNFINISHED.items():
        if (root / git.text("rev-parse", "--git-path", name)).exists():
            why = f"in the middle of a {what}: what lies here is no commit of any branch"
            yield Finding(Level.WRONG, _WHAT, str(root), why, f"end it first: {remedy}")


def _shallow(git: Git, root: Path) -> Iterator[Finding]:
    if git.text("rev-parse", "--is-shallow-repository") == "true":
        why = "shallow: what was released before its oldest commit cannot be explained"
        yield Finding(Level.WARNING, _WHAT, str(root), why, "git fetch --unshallow")


def _damaged(git: Git, root: Path) -> Iterator[Finding]:
    """Every object is read, where that takes no longer than the time given; else whether all are there."""
    for depth in ((), ("--connectivity-only",)):
        try:
            git.run("fsck", *depth, "--no-dangling", "--no-progress", timeout=_FSCK_SECONDS)
        except Transient:
            continue
        except GitError as error:
            said = error.message.splitlines()[:3] if error.stderr.strip() else _lost(git)
            remedy = "clone it anew beside it; what git fsck names may be fetched from another clone"
            yield Finding(Level.WRONG, _WHAT, str(root), " | ".join(said), remedy)
        return
    why = f"git fsck took longer than {_FSCK_SECONDS:.0f} s"
    yield Finding(Level.WARNING, _WHAT, str(root), why, "run git fsck by hand")


def _lost(git: Git) -> list[str]:
    """The objects that are not there, at most three: git fsck lists them, but not as errors."""
    listing = git.text("rev-list", "--objects", "--all", "--missing=print").splitlines()
    return [f"missing object {line[1:]}" for line in listing if line.startswith("?")][:3]
