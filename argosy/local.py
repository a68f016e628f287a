"""Source and target of an environment as local clones have them: no remote is asked, but where a clone is shallow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
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

    A branch that the clone does not have is None. `git` reads both sides; where charts lie apart, `charts` is the clone
    of their repository, if there is one.
    """

    environment: Environment
    source_sha: str
    source_tip: str | None
    target_sha: str | None
    git: Git
    charts: Path | None = None

    def target(self) -> str:
        """The head of the target. Raises WrongUse where no clone has it."""
        if self.target_sha is None:
            raise self._missing()
        return self.target_sha

    def _missing(self) -> WrongUse:
        name, branch, block = self.environment.name, self.environment.target_branch, self.environment.target_repository
        if block and self.charts is None:
            return WrongUse(
                f"the charts of {name} lie in a repository of their own, that of the block {block}",
                remedy="name the folder of a clone of it with --target-repo",
            )
        return WrongUse(
            f"{self.charts or 'this clone'} has no branch {branch}, which {name} is released to",
            remedy=f"fetch it (git fetch origin {branch}), or correct target.branch in {FILE}",
        )

    def on_source(self, git: Git) -> bool:
        """Whether the source branch contains the commit, so that it may be released."""
        return self.source_tip is not None and git.is_ancestor(self.source_sha, self.source_tip)


@dataclass(frozen=True, slots=True)
class Clone:
    """The repository at `root`, described by `file` where that was `asked` for, else by each commit's own.

    `charts` has the clones of repositories in which charts lie apart, by their blocks; that under None is for the rest.
    """

    root: Path
    file: Path
    asked: bool = False
    charts: Mapping[str | None, Path] = field(default_factory=dict)

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
        tip, branch = self.branch(described.source_branch), described.target_branch
        if described.target_repository is None:
            return Sides(described, commit, tip, self.branch(branch), self.git)
        charts = self.charts.get(described.target_repository, self.charts.get(None))
        if charts is None:
            return Sides(described, commit, tip, None, self.git)
        git = self._beside(charts)
        return Sides(described, commit, tip, _tip(git, branch), git, charts)

    def commit(self, name: str) -> str:
        """The commit that a full SHA, a branch, a tag or a step back from one names."""
        asked = revisions.named(name)
        found = revisions.commit(self.git, asked)
        if found is None:
            raise revisions.unknown(asked)
        return found.sha

    def branch(self, name: str) -> str | None:
        """The tip of a branch: the local one, else origin's."""
        return _tip(self.git, name)

    def deepen(self) -> None:
        """Fetch the history that shallow clones hide, as far as their remotes give it."""
        for root in (self.root, *self.charts.values()):
            fetches.unshallow(Git(root))

    def _beside(self, charts: Path) -> Git:
        """The git of the clone `charts`, which reads this one too. Raises WrongUse where this one is shallow.

        Each clone knows what it hides itself, and a git of the other takes it for lost.
        """
        if fetches.is_shallow(self.git):
            raise WrongUse(
                f"{self.root} is shallow, and the clone of the charts cannot be read beside it",
                remedy="fetch all of its history: git fetch --unshallow",
            )
        return Git(charts, self.root / self.git.text("rev-parse", "--git-path", "objects"))

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


def _tip(git: Git, branch: str) -> str | None:
    return git.ref(f"refs/heads/{branch}") or git.ref(f"refs/remotes/origin/{branch}")
