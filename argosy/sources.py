"""From a trigger to the commit that it asks to release."""

from __future__ import annotations

from collections.abc import Callable

from argosy.environment import Environment
from argosy.errors import Terminal, WrongUse
from argosy.gitops.mirror import Mirror
from argosy.inputs.digests import environment_at
from argosy.models import SHA, Resolved


def resolve(
    mirror: Mirror,
    environment: str,
    source_sha: str | None,
    target_of: Callable[[Environment], Mirror] | None = None,
) -> Resolved:
    """The commit to release: `source_sha`, else the tip of the environment's source branch; and the target's head.

    That branch is named by the commit's own `argosy.yaml`, or by the default branch's where no commit is given.
    `target_of` gives the mirror of the repository that an environment is written to, `mirror` unless given.
    Raises Terminal for a commit that is abbreviated, not at hand, or not on the environment's source branch.
    """
    mirror.update()
    if source_sha is None:
        start = mirror.branch(mirror.default_branch())
        source_sha = mirror.branch(environment_at(mirror.git, start, environment).source_branch)
    _check(mirror, source_sha)
    described = environment_at(mirror.git, source_sha, environment)
    tip = mirror.branch(described.source_branch)
    if not mirror.git.is_ancestor(source_sha, tip):
        raise Terminal(
            f"{source_sha[:12]} is not on {described.source_branch}, which {environment} is released from",
            remedy="merge it there first, or release a commit that is",
        )
    return Resolved(source_sha, _head(mirror, described, target_of))


def _head(source: Mirror, described: Environment, target_of: Callable[[Environment], Mirror] | None) -> str:
    target = target_of(described) if target_of else source
    if target is not source:
        target.update()
    return target.branch(described.target_branch)


def _check(mirror: Mirror, source_sha: str) -> None:
    if not SHA.fullmatch(source_sha):
        raise WrongUse(
            f"{source_sha!r} is not a full commit SHA",
            remedy="give all 40 hex digits, lower-case: an abbreviation may name another commit tomorrow",
        )
    if not mirror.git.is_commit(source_sha):
        raise WrongUse(f"{source_sha} is not a commit of {mirror.remote.url}", remedy="push it first")
