"""The files of the user's repository that git tracks, as they lie in its work tree."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from argosy.git import LINK, Git, GitError


@dataclass(frozen=True, slots=True)
class Checkout:
    """The files of the repository at `root`: `modes` has each that git tracks, `folders` every folder of those."""

    git: Git
    root: Path
    branch: str
    modes: dict[str, str]
    folders: frozenset[str]

    @classmethod
    def read(cls, root: Path) -> Checkout:
        """The checkout in the folder `root`. Raises GitError where it is none."""
        git = Git(root)
        rows = git.run("ls-files", "--stage", "-z").decode(errors="surrogateescape").split("\0")
        modes = {path: row.partition(" ")[0] for row, _, path in (each.partition("\t") for each in rows if each)}
        folders = {str(parent) for path in modes for parent in PurePosixPath(path).parents}
        return cls(git, root, git.text("branch", "--show-current"), modes, frozenset(folders))

    def link(self, path: str) -> str | None:
        """The part of `path` that is a symbolic link, where one is: git follows none."""
        parts = [str(parent) for parent in PurePosixPath(path).parents][::-1]
        return next((part for part in (*parts, path) if self.modes.get(part) == LINK), None)

    def leads_out(self, path: str, folder: str = ".") -> bool:
        """Whether `path`, its links followed, is outside `folder`, which is the repository unless named."""
        return not (self.root / path).resolve().is_relative_to((self.root / folder).resolve())

    @property
    def commit(self) -> str | None:
        """The commit that is checked out; None before the first."""
        try:
            return self.git.text("rev-parse", "--verify", "--quiet", "HEAD")
        except GitError:
            return None

    def at(self, branch: str, path: str) -> bytes | None:
        """The bytes of a file on `branch`: as they lie here where it is checked out, else those of its tip."""
        tip = next(filter(None, map(self.git.ref, (f"refs/heads/{branch}", f"refs/remotes/origin/{branch}"))), None)
        if branch != self.branch and tip:
            return self.git.file(tip, path)
        file = self.root / path
        return file.read_bytes() if path in self.modes and file.is_file() else None
