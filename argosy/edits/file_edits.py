"""Edits of a repository's files on disk: what several of them come to, and all of them made or none."""

from __future__ import annotations

import difflib
import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from argosy.edits import charts
from argosy.edits.file_swap import Swap, swap
from argosy.errors import WrongUse
from argosy.models import Change

_LINES = re.compile(r"[^\n]*\n|[^\n]+")
_NAME = "name a file of the repository itself: an edit follows no link and leaves the repository alone"


@dataclass(frozen=True, slots=True)
class Request:
    """The values to set in one file, or in one of its documents, counted from 1."""

    file: Path
    values: Mapping[str, str]
    document: int | None = None


@dataclass(frozen=True, slots=True)
class Edited:
    """What a file, called `name` below the repository's root, holds before and after its edits."""

    path: Path
    name: str
    before: bytes
    after: bytes
    changes: tuple[Change, ...] = ()

    @property
    def difference(self) -> str:
        """As a unified diff that git applies; "" where there is none."""
        return "".join(_unified(self.name, self.before.decode(), self.after.decode()))


def root(folder: Path) -> Path:
    """The root of the repository that `folder` lies in; itself where it lies in none."""
    return next((each for each in (folder, *folder.parents) if (each / ".git").exists()), folder)


def edited(requests: Iterable[Request], folder: Path, *, create: bool = False) -> tuple[Edited, ...]:
    """What the files of `requests`, relative to `folder`, come to; a file may be asked for more than once.

    Raises WrongUse for what is no file of the repository or is reached through a link, and as `charts.edit` does.
    """
    top, found = root(folder), dict[str, Edited]()
    for request in requests:
        name = _confined(top, folder, request.file)
        before = found.get(name) or _read(top, name)
        after, changes = charts.edit(before.after, request.values, name, create=create, document=request.document)
        found[name] = Edited(before.path, name, before.before, after, (*before.changes, *changes))
    return tuple(found.values())


def write(files: Iterable[Edited]) -> None:
    """Write those that differ, all or none; raises Terminal where that cannot be."""
    swap({each.path: Swap(each.before, each.after) for each in files if each.before != each.after})


def _confined(top: Path, folder: Path, file: Path) -> str:
    """The path of `file` below `top`, where no part of it is a link."""
    path = Path(os.path.normpath(folder / file))
    if not path.is_relative_to(top) or (".." in file.parts[:-1] and _through_link(folder, file)):
        raise WrongUse(f"{file} is outside of the repository", remedy=_NAME)
    name = path.relative_to(top)
    for part in (*reversed(name.parents), name):
        if (top / part).is_symlink():
            raise WrongUse(f"{part} is a symbolic link", remedy=_NAME)
    return name.as_posix()


def _through_link(folder: Path, file: Path) -> bool:
    """Whether a `..` of `file` leads back from where a link leads."""
    parts = file.parts
    return any(parts[n + 1] == ".." and folder.joinpath(*parts[: n + 1]).is_symlink() for n in range(len(parts) - 1))


def _read(top: Path, name: str) -> Edited:
    path = top / name
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            raise WrongUse(f"{name} is no file", remedy=_NAME)
        text = path.read_bytes()
    except OSError as error:
        raise WrongUse(f"{name} cannot be read: {error.strerror or error}", remedy=_NAME) from error
    return Edited(path, name, text, text)


def _unified(name: str, before: str, after: str) -> Iterator[str]:
    end = "\t" if " " in name else ""
    old, new = _LINES.findall(before), _LINES.findall(after)
    for line in difflib.unified_diff(old, new, f"a/{name}{end}", f"b/{name}{end}"):
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
