"""The files of a repository that a discovery may look at: those that git tracks or does not ignore, no links."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from argosy.git import Git, GitError

_MOST_FILES, _LARGEST, _MOST_READ = 200_000, 512 * 1024, 20_000
_PASSED_OVER = frozenset({
    ".git", ".argosy", ".devcontainer", ".terraform", ".venv", "node_modules", "vendor", "third_party", "testdata",
    "fixtures",
})  # fmt: skip


@dataclass(slots=True)
class Tree:
    """The repository at `root`: its `paths`, sorted; the branch it is `on`, its default branch and all that it has.

    `truncated` says that it has more files than are looked at. Without git there are no branches.
    """

    root: Path
    paths: tuple[str, ...]
    truncated: bool = False
    default_branch: str | None = None
    branches: frozenset[str] = frozenset()
    folders: frozenset[str] = frozenset()
    _known: frozenset[str] = frozenset()
    _linked: dict[str, bool] = field(default_factory=dict)

    @classmethod
    def read(cls, root: Path) -> Tree:
        """The tree at `root`. Raises GitError where git has something against the repository there."""
        git = Git(root)
        inside = _inside(git)
        found = sorted(filter(_welcome, _listed(git) if inside else _walked(root)))
        paths = tuple(found[:_MOST_FILES])
        folders = frozenset({"."} | {str(above) for path in paths for above in PurePosixPath(path).parents})
        default, branches = _branches(git) if inside else (None, frozenset[str]())
        return cls(root, paths, len(found) > _MOST_FILES, default, branches, folders, frozenset(paths))

    def __contains__(self, path: str) -> bool:
        return path in self._known or path in self.folders

    def text(self, path: str) -> str | None:
        """The text of the file at `path`; None for what is no plain file here, too large, or no text."""
        if path not in self._known or self._behind_link(path.rpartition("/")[0]):
            return None
        return _text(self.root / path)

    def named(self, *endings: str, below: str = "") -> Iterator[tuple[str, str]]:
        """The path and text of each file whose path begins with `below` and ends so; of very many only the first."""
        found = [path for path in self.paths if path.startswith(below) and path.endswith(endings)]
        # What Argo CD is told mostly lies in a folder that is called so: it is not what is left unread.
        found.sort(key=lambda path: "argo" not in path.lower())
        self.truncated |= len(found) > _MOST_READ
        for path in found[:_MOST_READ]:
            if (text := self.text(path)) is not None:
                yield path, text

    def _behind_link(self, folder: str) -> bool:
        # A folder may be a link in the work tree, whatever git knows.
        if folder not in self._linked:
            real = (self.root / folder).resolve()
            self._linked[folder] = real != self.root.resolve() / folder
        return self._linked[folder]


def _inside(git: Git) -> bool:
    try:
        return git.text("rev-parse", "--is-inside-work-tree") == "true"
    except GitError as error:
        if "not a git repository" in error.stderr:
            return False
        raise


def _listed(git: Git) -> list[str]:
    rows = git.run("ls-files", "-z", "--cached", "--others", "--exclude-standard").split(b"\0")
    return list({row.decode(errors="surrogateescape") for row in rows if row})


def _walked(root: Path) -> Iterator[str]:
    seen = 0
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(set(folders) - _PASSED_OVER)
        for name in sorted(files):
            seen += 1
            if seen > _MOST_FILES + 1:
                return
            yield (Path(folder) / name).relative_to(root).as_posix()


def _welcome(path: str) -> bool:
    # A configuration cannot name what is not printable or looks like an option or a placeholder; a folder that ends
    # in / is another repository.
    named = path.isprintable() and not path.startswith("-") and "{" not in path and "}" not in path
    return named and not path.endswith("/") and _PASSED_OVER.isdisjoint(path.split("/"))


def _branches(git: Git) -> tuple[str | None, frozenset[str]]:
    heads = git.text("for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads").split()
    remote = git.text("for-each-ref", "--format=%(refname:lstrip=3)", "refs/remotes/origin").split()
    origin = git.text("for-each-ref", "--format=%(symref:lstrip=3)", "refs/remotes/origin/HEAD").strip()
    current = git.text("branch", "--show-current")
    return origin or current or None, frozenset(heads) | frozenset(remote) - {"HEAD"}


def _text(file: Path) -> str | None:
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    with os.fdopen(descriptor, "rb") as stream:
        kind = os.fstat(stream.fileno())
        data = stream.read(_LARGEST + 1) if stat.S_ISREG(kind.st_mode) else b"\0"
    if len(data) > _LARGEST or b"\0" in data:
        return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
