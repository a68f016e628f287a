"""A chart as one commit has it, with edited files in place, as a folder for a program to read."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from pathlib import Path

from argosy import batches
from argosy.errors import Terminal
from argosy.git import LINK, SUBMODULE, Git

MOST_FILES = 5_000
LARGEST = 64 * 1024 * 1024
"""The most files that a chart may have, and bytes in them, to be rendered."""

_LONGEST_PATH, _LONGEST_NAME = 1000, 255


class Unrenderable(Terminal):
    """A chart cannot be rendered where the run is, which says nothing of whether it is right.

    It stops a release only where `charts.render_check` is `required`.
    """


def export(git: Git, tree: str, edited: Mapping[str, bytes], folder: Path) -> None:
    """Write the files of the git tree `tree`, `edited` ones instead of its own, into the new `folder`.

    All paths are relative to the chart. No link is made: one that leads to a file of the chart is a copy of it. Raises
    Unrenderable for a chart that is none, is too large, or is not all there, and as `git.objects` does.
    """
    files = _files(git, tree)
    if "Chart.yaml" not in files:
        raise Unrenderable("it has no Chart.yaml", remedy="name the folder of the chart itself in chart.path")
    taken = {path: each for path, each in files.items() if path not in edited}
    _bound(git, taken)
    folder.mkdir(mode=0o700)
    for path, content in edited.items():
        _write(folder, path, content)
    for path, found in zip(taken, git.objects(taken.values()), strict=True):
        if found is None:
            raise git.lost(path)
        _write(folder, path, found)


def _files(git: Git, tree: str) -> dict[str, str]:
    """The id of what each file of the chart holds."""
    entries = git.tree(tree)
    if len(entries) > MOST_FILES:
        raise _too_large(f"{len(entries)} files")
    found = {entry.path: entry.object_id for entry in entries if entry.mode not in {LINK, SUBMODULE}}
    for entry in entries:
        if entry.mode == SUBMODULE:
            raise Unrenderable(f"{entry.path} is a submodule", remedy="commit its files into the chart itself")
    links = [entry for entry in entries if entry.mode == LINK]
    targets = zip(links, batches.contents(git, [link.object_id for link in links]), strict=True)
    named = {link.path: _target(link.path, content or b"") for link, content in targets}
    return found | {path: _followed(path, named, found) for path in named}


def _target(path: str, content: bytes) -> str:
    target = content.decode(errors="surrogateescape")
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), target))


def _followed(path: str, links: Mapping[str, str], files: Mapping[str, str]) -> str:
    """The id of the file that the link at `path` leads to, by others or at once."""
    at = path
    for _ in range(len(links)):
        at = links.get(at, at)
    if at not in files:
        raise Unrenderable(
            f"{path} is a link that leads to no file of the chart", remedy="commit the file itself there"
        )
    return files[at]


def _bound(git: Git, files: Mapping[str, str]) -> None:
    git.bring(files.values())  # sizes are told of what is at hand
    asked = "".join(f"{object_id}\n" for object_id in files.values()).encode()
    sizes = git.text("cat-file", "--batch-check=%(objectsize)", data=asked).splitlines()
    total = sum(int(size) for size in sizes if size.isdigit())
    if total > LARGEST:
        raise _too_large(f"{total} bytes")


def _too_large(what: str) -> Unrenderable:
    return Unrenderable(
        f"it has {what}, and is rendered up to {MOST_FILES} files and {LARGEST} bytes",
        remedy="name the folder of the chart itself in chart.path, and keep other files out of it",
    )


def _write(folder: Path, path: str, content: bytes) -> None:
    whole = path.encode(errors="surrogateescape")
    names = whole.split(b"/")
    odd = {b"", b".", b".."} & {*names}
    if odd or len(whole) > _LONGEST_PATH or max(map(len, names)) > _LONGEST_NAME:
        raise Unrenderable(f"{path!r} is no name that a file can have", remedy="remove it from the chart")
    place = folder / path
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    place.write_bytes(content)
