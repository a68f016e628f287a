"""Source and target of an environment as a local clone has them: no remote is asked, but where the clone is shallow."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from argosy import revisions
from argosy.changes import fetches
from argosy.config import FILE
from argosy.environment import Environment
from argosy.errors import ConfigurationError, WrongUse
from argosy.git import Git
from argosy.settings.text import environments, read


@dataclass(frozen=True, slots=True)
class Sides:
    """An environment in a clone: the commit to plan, the tip of its source branch, and the head of its target.

    A branch that the clone does not have is None.
    """

    environment: Environment
    source_sha: str
    source_tip: str | None
    target_sha: str | None

    def target(self) -> str:
        """The head of the target. Raises WrongUse where the clone does not have it."""
        if self.target_sha is None:
            branch = self.environment.target_branch
            raise WrongUse(
                f"this clone has no branch {branch}, which {self.environment.name} is released to",
                remedy=f"fetch it (git fetch origin {branch}), or correct target.branch in {FILE}",
            )
        return self.target_sha

    def on_source(self, git: Git) -> bool:
        """Whether the source branch contains the commit, so that it may be released."""
        return self.source_tip is not None and git.is_ancestor(self.source_sha, self.source_tip)


@dataclass(frozen=True, slots=True)
class Clone:
    """The repository at `root`, described by `file` where that was `asked` for, else by each commit's own."""

    root: Path
    file: Path
    asked: bool = False

    @property
    def git(self) -> Git:
        """Its git."""
        return Git(self.root)

    def check(self) -> None:
        """Raise WrongUse where there is no repository, or no commit yet."""
        if revisions.commit(self.git, revisions.named("HEAD")) is None:
            raise WrongUse(f"{self.root} has no commit yet", remedy="commit something first")

    def names(self) -> tuple[str, ...]:
        """The environments that the configuration has."""
        return environments(self._text("HEAD"), str(self.file.name))

    def sides(self, environment: str, head: str | None = None) -> Sides:
        """The environment called so, its source at `head` where that is given.

        Raises WrongUse for what names no commit, ConfigurationError for a wrong configuration.
        """
        commit = self.commit(head) if head else self._source(environment)
        described = read(self._text(commit), environment, self.file.name)
        return Sides(described, commit, self.branch(described.source_branch), self.branch(described.target_branch))

    def commit(self, name: str) -> str:
        """The commit that a full SHA, a branch, a tag or a step back from one names."""
        asked = revisions.named(name)
        found = revisions.commit(self.git, asked)
        if found is None:
            raise revisions.unknown(asked)
        return found.sha

    def branch(self, name: str) -> str | None:
        """The tip of a branch: the local one, else origin's."""
        return self.git.ref(f"refs/heads/{name}") or self.git.ref(f"refs/remotes/origin/{name}")

    def deepen(self) -> bool:
        """Fetch the history that a shallow clone hides; whether all of it is there then."""
        return fetches.unshallow(self.git)

    def _source(self, environment: str) -> str:
        described = read(self._text("HEAD"), environment, self.file.name)
        tip = self.branch(described.source_branch)
        if tip is None:
            raise WrongUse(
                f"this clone has no branch {described.source_branch}, which {environment} is released from",
                remedy=f"fetch it, name a commit with --head, or correct source.branch in {FILE}",
            )
        return tip

    def _text(self, commit: str) -> bytes:
        # One that is not committed yet describes every commit: `argosy init`, then `argosy plan`, is how one begins.
        committed = None if self.asked else self.git.file(self.commit(commit), FILE)
        if committed is not None:
            return committed
        try:
            return self.file.read_bytes()
        except OSError as error:
            raise ConfigurationError(
                f"{self.file}: {error.strerror or error}",
                remedy="write one with argosy init, or name the folder with --repo",
            ) from error
