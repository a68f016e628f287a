"""The git servers of what is released and of charts that lie apart, and GitHub's API, each asked within seconds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from pydantic import SecretStr

from argosy.doctor.findings import Finding, Level, probed
from argosy.environment import Environment
from argosy.errors import ConfigurationError, Terminal
from argosy.git import Git, GitError
from argosy.github.client import GitHub
from argosy.gitops.apart import same_repository
from argosy.gitops.commits import Identity
from argosy.gitops.remote import Remote
from argosy.gitops.transfer_errors import explain

if TYPE_CHECKING:
    from argosy.doctor.remotes import Given

SOURCE, CHARTS = "ARGOSY_GIT", "ARGOSY_TARGET_GIT"
"""What the variables with the login to each repository begin with: one server is never told the other's."""
_PROTECTED = "Whether a branch is protected cannot be known before a run pushes there"


def source(given: Given, url: str, *, written: bool = True) -> Finding:
    """Whether the git server answers at `url`, trusts us, and lets the given user read, and write where it is written.

    What is released from is written too, unless charts lie apart.
    """
    if not url.startswith(("https://", "http://")):
        why = "Argosy reaches repositories over https; this clone's origin is reached otherwise"
        remedy = "set PREFECT_API_URL, so that the address in the GitOps Repository block is asked"
        return Finding(Level.SKIPPED, "git server", url or "origin", why, remedy)
    return probed("git server", url, lambda: _listed(given, url, SOURCE, written=written))


def charts(given: Given, environment: Environment, url: str | None, released: str) -> Finding:
    """The same of the repository at `url` that the environment's charts lie in, and whether it has the target's branch.

    `released` is the address of what is released, which must be another.
    """
    if not url:
        why = f"the address in the block {environment.target_repository} is not known here, so nothing was asked"
        return Finding(Level.SKIPPED, "charts", environment.name, why, "set PREFECT_API_URL")

    def probe() -> str:
        if same_repository(url, released):
            raise ConfigurationError(
                f"the block {environment.target_repository} is of the repository that is released from",
                remedy="leave target.repository and target.chart out in argosy.yaml, or correct the block's url",
            )
        return _listed(given, url, CHARTS, environment.target_branch)

    return probed("charts", url, probe)


def _listed(given: Given, url: str, login: str, branch: str = "", *, written: bool = True) -> str:
    pair = given.pair(login)
    try:
        with Remote(url, *(pair or ())).access() as extra:
            wanted = f"refs/heads/{branch}" if branch else "HEAD"
            command = ("ls-remote", "--quiet", "--", url, wanted)
            said = Git(Path("/")).run(*command, extra=extra, timeout=given.seconds)
            if pair is not None and written:
                _rehearse(url, extra, given.seconds)
    except GitError as error:
        explained = explain(error, url)
        if pair is None and "refuses the credentials" in explained.message:
            return f"answers, and wants credentials, of which none were given. {_PROTECTED}"
        raise explained from error
    if branch and not said:
        raise Terminal(f"{url} has no branch {branch}", remedy="push it, or correct target.branch in argosy.yaml")
    if not written:
        return f"answers, and lets {'everybody' if pair is None else 'these credentials'} read"
    if pair is None:
        return f"answers, and lets everybody read; nobody was given who could push. {_PROTECTED}"
    return f"answers, and lets these credentials read and push. {_PROTECTED}"


def _rehearse(url: str, extra: Mapping[str, str], seconds: float) -> None:
    """Push as far as git does before it sends anything: a server tells there whether these credentials may write."""
    with TemporaryDirectory(prefix="argosy-") as folder:
        git, who = Git(Path(folder)), Identity("Argosy", "argosy@localhost").environment(datetime.now(UTC))
        git.run("init", "--quiet", "--bare", "--template=")
        commit = git.text("commit-tree", git.text("mktree", data=b""), data=b"Rehearsal\n", extra=who)
        where = f"{commit}:refs/heads/argosy-rehearsal"
        git.run("push", "--dry-run", "--quiet", "--", url, where, extra=extra, timeout=seconds)


def github(given: Given, api_url: str, repository: str, login: str = SOURCE) -> Finding:
    """Whether GitHub's API answers at `api_url`, and lets the given token write to the repository."""
    token = given.secret(f"{login}_PASSWORD")
    if token is None:
        why = "no token was given, so nothing was asked"
        return Finding(Level.SKIPPED, "GitHub", api_url, why, f"set {login}_PASSWORD to the token")
    return probed("GitHub", api_url, lambda: _writable(api_url, repository, token, given.seconds))


def _writable(api_url: str, repository: str, token: SecretStr, seconds: float) -> str:
    with GitHub(api_url, repository, token, timeout=seconds) as client:
        if not client.may_write():
            remedy = "give it read and write access to contents and pull requests"
            raise Terminal(f"it lets this token only read {repository}", remedy=remedy)
    return f"lets this token write to {repository}"
