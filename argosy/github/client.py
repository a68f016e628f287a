"""The client of GitHub's API: the pull requests of one repository, and commits that GitHub makes and signs."""

from __future__ import annotations

import os
import re
import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self, TypeVar
from urllib.parse import urlsplit

from pydantic import SecretStr

from argosy.errors import Terminal, Unwell
from argosy.github.errors import RateLimited, explain
from argosy.processes import cancellation
from argosy.registries.auth import is_loopback
from argosy.settings.target_mode import Method

if TYPE_CHECKING:
    from github import Github
    from github.PullRequest import PullRequest as Theirs
    from github.Repository import Repository

T = TypeVar("T")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+")
_ATTEMPTS = 3
_LONGEST = 90.0
"""Seconds that a limit is waited for; one that lasts longer ends the stage, which says until when."""
_CLEAN = "clean status"


@dataclass(frozen=True, slots=True)
class PullRequest:
    """A pull request as it stands; `head_sha` is the commit that it proposes, or did when it ended."""

    number: int
    url: str
    title: str
    body: str
    head_sha: str
    open: bool
    merged: bool
    merges_itself: bool


@dataclass(frozen=True, slots=True)
class Verification:
    """What GitHub says of a commit's signature; `reason` is its word for it (`valid`, `unsigned`)."""

    verified: bool
    reason: str


def whereabouts(url: str, api_url: str | None, repository: str | None) -> tuple[str, str]:
    """Where the API of the repository at `url` is, and how it calls it; told from that address where not given."""
    parts = urlsplit(url)
    own = "https://api.github.com" if parts.hostname == "github.com" else f"https://{parts.netloc}/api/v3"
    return api_url or own, repository or parts.path.strip("/").removesuffix(".git")


class GitHub:
    """GitHub at `url`, as `repository` (`owner/name`) shows itself to the bearer of `token`; close it with `with`.

    Raises Terminal for an address that is not confidential and for what names no repository.
    """

    def __init__(
        self,
        url: str,
        repository: str,
        token: SecretStr,
        *,
        timeout: float = 30.0,
        sleep: Callable[[float], None] = cancellation.sleep,
        clock: Callable[[], float] = time.time,
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname or "")):
            raise Terminal(f"{url} is no https:// address", remedy="plain http is for loopback addresses only")
        if not _NAME.fullmatch(repository):
            raise Terminal(f"{repository!r} names no repository", remedy="write owner/name into api_repository")
        self.repository = repository
        self._url, self._token, self._timeout = url.rstrip("/"), token, timeout
        self._sleep, self._clock = sleep, clock
        self._github: Github | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        if self._github is not None:
            self._github.close()

    def pulls(self, branch: str, base: str, state: Literal["open", "closed"]) -> PullRequest | None:
        """The newest pull request from `branch` into `base` that is in that state; None where there is none."""
        owner = self.repository.partition("/")[0]

        def newest(repository: Repository) -> PullRequest | None:
            listed = repository.get_pulls(
                state=state, sort="created", direction="desc", head=f"{owner}:{branch}", base=base
            )
            # GitHub leaves a filter that it does not understand out of account.
            fits = (each for each in listed if (each.head.ref, each.base.ref) == (branch, base))
            return next(map(_ours, fits), None)

        return self._ask(f"listing the pull requests of {self.repository}", newest)

    def create(self, branch: str, base: str, title: str, body: str) -> PullRequest:
        """Open a pull request; the one that is open already, where somebody was first or our answer was lost."""
        what = f"opening a pull request from {branch} into {base}"
        try:
            return self._ask(
                what, lambda repository: _ours(repository.create_pull(base, branch, title=title, body=body))
            )
        except Terminal as error:
            found = self.pulls(branch, base, "open") if "already exists" in error.message else None
            if found is None:
                raise
            return self.update(found, title, body)

    def update(self, pull: PullRequest, title: str, body: str) -> PullRequest:
        """Give a pull request another title and body."""

        def edit(theirs: Theirs) -> PullRequest:
            theirs.edit(title=title, body=body)
            return _ours(theirs)

        return self._of(pull, "changing", edit)

    def end(self, pull: PullRequest, comment: str, body: str) -> None:
        """Close a pull request with a comment, and another `body`."""

        def close(theirs: Theirs) -> None:
            theirs.create_issue_comment(comment)
            theirs.edit(state="closed", body=body)

        self._of(pull, "closing", close)

    def merge_itself(self, pull: PullRequest, method: Method) -> None:
        """Let GitHub merge it as soon as all that it requires is there; at once where nothing is awaited.

        Raises Terminal where the repository does not allow that.
        """
        try:
            self._of(pull, "enabling auto-merge of", lambda theirs: theirs.enable_automerge(method.upper()))
        except Terminal as error:
            # With nothing to wait for GitHub refuses to wait.
            if _CLEAN not in error.message:
                raise
            self._of(pull, "merging", lambda theirs: theirs.merge(merge_method=method, sha=pull.head_sha))

    def commit(self, branch: str, expected: str, message: str, files: Mapping[str, bytes]) -> str:
        """Let GitHub make a commit of whole `files` on `branch`, and return its SHA: compare and swap.

        GitHub signs it, and the token's user is its author. Raises PushRejected (Transient) where the branch is not at
        `expected`, PushRefused (Terminal) where it is protected.
        """
        headline, _, body = message.partition("\n")
        given = {
            "branch": {"repositoryNameWithOwner": self.repository, "branchName": branch},
            "expectedHeadOid": expected,
            "message": {"headline": headline, "body": body.strip()},
            "fileChanges": {
                "additions": [{"path": path, "contents": b64encode(text).decode()} for path, text in files.items()]
            },
        }

        def ask(repository: Repository) -> str:
            requester = repository.requester
            _, made = requester.graphql_named_mutation("createCommitOnBranch", given, "commit { oid }")
            return str(made["commit"]["oid"])

        return self._ask(f"committing to {branch} of {self.repository}", ask)

    def verification(self, sha: str) -> Verification:
        """What GitHub says of the commit's signature."""

        def read(repository: Repository) -> Verification:
            found = repository.get_commit(sha).raw_data["commit"]["verification"]
            return Verification(bool(found["verified"]), str(found["reason"]))

        return self._ask(f"reading commit {sha[:12]} of {self.repository}", read)

    def may_write(self) -> bool:
        """Whether the token's user may push to the repository, as far as GitHub says."""

        def read(repository: Repository) -> bool:
            repository.update()
            return bool(repository.permissions.push)

        return self._ask(f"reading {self.repository}", read)

    def _of(self, pull: PullRequest, verb: str, act: Callable[[Theirs], T]) -> T:
        return self._ask(f"{verb} {pull.url}", lambda repository: act(repository.get_pull(pull.number)))

    def _ask(self, what: str, ask: Callable[[Repository], T]) -> T:
        """What `ask` finds; a limit that soon passes is waited for. Raises as `explain` says."""
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return self._once(what, ask)
            except RateLimited as limited:
                if attempt == _ATTEMPTS or not 0 < limited.wait <= _LONGEST:
                    raise
                self._sleep(limited.wait)
        raise AssertionError("the last attempt returns or raises")

    def _once(self, what: str, ask: Callable[[Repository], T]) -> T:
        # Imported here: it takes a third of a second, and most commands and runs never speak to GitHub's API.
        from github import GithubException
        from requests.exceptions import RequestException, SSLError

        try:
            return ask(self._connected().get_repo(self.repository))
        except GithubException as error:
            raise explain(error, what, self._clock()) from error
        except SSLError as error:
            remedy = "name the CA that signed its certificate in SSL_CERT_FILE, where Argosy runs"
            raise Terminal(f"{what}: the certificate of {self._url} is not trusted", remedy=remedy) from error
        except RequestException as error:
            remedy = "check the network and api_url in the GitOps repository block"
            raise Unwell(f"{what}: {self._url} gives no answer", remedy=remedy) from error

    def _connected(self) -> Github:
        from github import Auth, Github

        if self._github is None:
            # Its own retries would sleep for as long as GitHub likes, deaf to a run that is told to end.
            self._github = Github(
                auth=Auth.Token(self._token.get_secret_value()),
                base_url=self._url,
                timeout=int(self._timeout),
                verify=os.environ.get("SSL_CERT_FILE") or True,
                retry=None,
                seconds_between_requests=None,
                seconds_between_writes=None,
                user_agent="argosy",
                lazy=True,
            )
        return self._github


def _ours(theirs: Theirs) -> PullRequest:
    return PullRequest(
        number=theirs.number,
        url=theirs.html_url,
        title=theirs.title,
        body=theirs.body or "",
        head_sha=theirs.head.sha,
        open=theirs.state == "open",
        merged=theirs.merged_at is not None,
        merges_itself=theirs.raw_data.get("auto_merge") is not None,
    )
