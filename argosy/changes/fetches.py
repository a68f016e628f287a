"""Fetching what a comparison lacks from the remote `origin`: one commit, or some more history, and nothing else."""

from __future__ import annotations

from argosy.errors import Transient
from argosy.git import Git, GitError
from argosy.revisions import Name

_REMOTE = "origin"
_MORE = 1000
"""By how many commits a shallow history is deepened, once, to find a merge base in it."""
_FETCH = ("fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head")
_SECONDS = 300.0
_ABSENT = ("couldn't find remote ref", "not our ref", "no such remote ref")


def is_shallow(git: Git) -> bool:
    """Whether older commits were left out when the repository was cloned."""
    return git.text("rev-parse", "--is-shallow-repository") == "true"


def commit(git: Git, name: Name) -> bool | None:
    """Fetch the commit called `name`: a SHA, a branch or a tag.

    True where the remote gave it, False where it has none such, or there is no remote; None where it did not answer.
    """
    if not _has_remote(git):
        return False
    depth = ("--depth=1",) if is_shallow(git) else ()
    answer: bool | None = False
    for wanted in _refspecs(name):
        answer = _fetch(git, *depth, _REMOTE, wanted)
        if answer is not False:
            break
    return answer


def deepen(git: Git, commits: tuple[str, ...]) -> None:
    """Fetch some more of the history that leads to `commits`, if the remote gives it."""
    _fetch(git, f"--deepen={_MORE}", _REMOTE, *commits)


def unshallow(git: Git) -> bool:
    """Fetch all of the history that a shallow clone lacks; whether the whole of it is here then."""
    if is_shallow(git) and _has_remote(git):
        _fetch(git, "--unshallow", _REMOTE)
    return not is_shallow(git)


def default_branch(git: Git) -> str | None:
    """The branch that the remote's HEAD is on; None where it does not say so."""
    if not _has_remote(git):
        return None
    try:
        told = git.text("ls-remote", "--symref", _REMOTE, "HEAD")
    except (GitError, Transient) as error:
        _warn("ask", error)
        return None
    first = told.partition("\t")[0]
    return first.removeprefix("ref: refs/heads/") if first.startswith("ref: refs/heads/") else None


def _has_remote(git: Git) -> bool:
    return _REMOTE in git.text("remote").splitlines()


def _refspecs(name: Name) -> list[str]:
    if name.sha:
        return [name.sha]
    plain = name.text.split("~")[0].split("^")[0].removeprefix("origin/")
    if plain in {"HEAD", "@"}:
        return []
    for folder, kept in (("refs/heads/", "refs/remotes/origin/"), ("refs/tags/", "refs/tags/")):
        if plain.startswith(folder):
            return [f"+{plain}:{kept}{plain.removeprefix(folder)}"]
    return [f"+refs/heads/{plain}:refs/remotes/origin/{plain}", f"+refs/tags/{plain}:refs/tags/{plain}"]


def _fetch(git: Git, *arguments: str) -> bool | None:
    try:
        git.run(*_FETCH, *arguments, timeout=_SECONDS, guarded=True)
    except GitError as error:
        if any(sign in error.stderr for sign in _ABSENT):
            return False
        _warn("fetch from", error)
        return None
    except Transient as error:
        _warn("fetch from", error)
        return None
    return True


def _warn(verb: str, error: Exception) -> None:
    import logging  # late: most comparisons fetch nothing

    logging.getLogger(__name__).warning("could not %s %s: %s", verb, _REMOTE, error)
