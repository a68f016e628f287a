"""What an image is built from: the list of its inputs, their digest, and their export as a build context.

Everything is read from git's objects, so that it is the same on every machine, and what is hashed is what is built.
"""

from __future__ import annotations

import hashlib
import io
import json
import posixpath
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import BinaryIO

from argosy import dockerignore
from argosy.dockerfile import external_images
from argosy.environment import STATE_FOLDER
from argosy.errors import Terminal
from argosy.git import EXECUTABLE, LINK, REGULAR, SUBMODULE, Git, TreeEntry
from argosy.models import RECIPE, BuildContext, ContentDigest, Service

_MODES = {EXECUTABLE: "755", LINK: "link", SUBMODULE: "submodule"}
_LFS_POINTER = b"version https://git-lfs.github.com/spec/"
_TIMESTAMP = 315_532_800
"""1980-01-01, the time of every exported file: the earliest that a zip archive can hold."""


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file of the build context: its path relative to the context, mode (644, 755, link) and blob id."""

    path: str
    mode: str
    object_id: str


@dataclass(frozen=True, slots=True)
class BuildInputs:
    """Everything that decides what an image of `service` holds.

    `dockerfile` is the Dockerfile as a file of the exported context, whether it lies inside or not; `images` are the
    external images that it names, as written.
    """

    service: str
    files: tuple[InputFile, ...]
    dockerfile: InputFile
    images: tuple[str, ...]
    context: BuildContext

    def digest(self) -> ContentDigest:
        """The content digest: equal if and only if the inputs are."""
        context = self.context
        inputs = {
            "recipe": RECIPE,
            "files": sorted([file.path, file.mode, file.object_id] for file in self.files),
            "dockerfile": [self.dockerfile.path, self.dockerfile.mode, self.dockerfile.object_id],
            "images": list(self.images),
            "target": context.target_stage,
            "platforms": sorted(context.platform),
            "args": sorted(context.build_args),
            "labels": sorted(context.labels),
        }
        return ContentDigest(hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest())


class Snapshot:
    """One commit's tree, listed once for all the services that are read from it."""

    def __init__(self, git: Git, commit: str, written: frozenset[str] = frozenset()) -> None:
        self._git = git
        self._commit = commit
        self._entries = {entry.path: entry for entry in git.tree(commit) if not _is_written(entry.path, written)}

    def inputs(self, service: Service) -> BuildInputs:
        """The build inputs of `service`. Raises Terminal where its Dockerfile or its context is missing."""
        context = service.build_context
        dockerfile = self._dockerfile(service)
        files = self._context_files(service)
        return BuildInputs(
            service=service.name,
            files=files,
            dockerfile=_placed(dockerfile, context.path, files),
            images=external_images(self._read(dockerfile)),
            context=context,
        )

    def _dockerfile(self, service: Service) -> TreeEntry:
        path = service.build_context.dockerfile
        self._check_no_link(service, posixpath.dirname(path))
        found = self._entries.get(path)
        if found is None or found.mode not in {REGULAR, EXECUTABLE}:
            raise Terminal(
                f"{path} is {'not' if found is None else 'no regular file'} in commit {self._commit[:12]}",
                service=service.name,
                remedy="commit a Dockerfile there, or name another under services in argosy.yaml",
            )
        return found

    def _check_no_link(self, service: Service, path: str) -> None:
        parts = (path, *map(str, PurePosixPath(path).parents))
        link = next((part for part in parts if part in self._entries and self._entries[part].mode == LINK), None)
        if link is not None:
            raise Terminal(
                f"{link} is a symbolic link in commit {self._commit[:12]}",
                service=service.name,
                remedy="name in argosy.yaml what it leads to, inside the repository: git follows no link",
            )

    def _context_files(self, service: Service) -> tuple[InputFile, ...]:
        root, chart = service.build_context.path, service.chart_path
        self._check_no_link(service, root)
        inside = [entry for entry in self._entries.values() if _below(entry.path, root) and entry.path != root]
        if not inside:
            raise Terminal(
                f"the build context {root} holds no files in commit {self._commit[:12]}",
                service=service.name,
                remedy="correct build.context or path under services in argosy.yaml",
            )
        if not _below(root, chart):  # a chart at the context's root, or above, is no part that could be left out
            inside = [entry for entry in inside if not _below(entry.path, chart)]
        excluded = self._ignore_rule(service.build_context)
        files = (_input_file(entry, root) for entry in inside)
        return tuple(file for file in files if not excluded(file.path))

    def _ignore_rule(self, context: BuildContext) -> dockerignore.Rule:
        beside = self._entries.get(f"{context.dockerfile}.dockerignore")
        entry = beside or self._entries.get(_join(context.path, ".dockerignore"))
        return dockerignore.rule(self._read(entry), entry.path) if entry else lambda _path: False

    def _read(self, entry: TreeEntry) -> bytes:
        if entry.mode not in {REGULAR, EXECUTABLE}:
            raise Terminal(
                f"{entry.path} is no regular file", remedy="commit the file itself, no link and no submodule"
            )
        content = next(iter(self._git.objects([entry.object_id])))
        if content is None:
            raise self._git.lost(entry.path)
        return content


def export(git: Git, inputs: BuildInputs, stream: BinaryIO) -> None:
    """Write the build context to `stream` as a tar archive: those files, those modes, one fixed time.

    The Dockerfile comes last: a stream that breaks off before it cannot be taken for the whole.
    Raises Terminal for what git does not hold itself: a submodule, or a Git LFS pointer.
    """
    last = inputs.dockerfile
    files = [*sorted((file for file in inputs.files if file.path != last.path), key=lambda file: file.path), last]
    for file in files:
        if file.mode == "submodule":
            raise _refused(inputs, file, "is a submodule, whose files are not in this repository")
    contents = git.objects(file.object_id for file in files)
    with tarfile.open(
        fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT, encoding="utf-8", errors="surrogateescape"
    ) as archive:
        archive.addfile(_root())
        for file, content in zip(files, contents, strict=True):
            if content is None:
                raise git.lost(file.path)
            if content.startswith(_LFS_POINTER):
                raise _refused(inputs, file, "is a Git LFS pointer, not the file itself")
            archive.addfile(_member(file, content), io.BytesIO(content) if file.mode != "link" else None)


def _root() -> tarfile.TarInfo:
    # Docker tells an archive from a Dockerfile by its first two blocks, which a long or foreign name would fill.
    member = tarfile.TarInfo(".")
    member.type, member.mode, member.mtime = tarfile.DIRTYPE, 0o755, _TIMESTAMP
    return member


def _member(file: InputFile, content: bytes) -> tarfile.TarInfo:
    member = tarfile.TarInfo(file.path)
    member.mtime = _TIMESTAMP
    if file.mode == "link":
        member.type, member.linkname, member.mode = (
            tarfile.SYMTYPE,
            content.decode(errors="surrogateescape"),
            0o777,
        )
    else:
        member.size, member.mode = len(content), int(file.mode, 8)
    return member


def _refused(inputs: BuildInputs, file: InputFile, why: str) -> Terminal:
    return Terminal(
        f"{file.path} {why}",
        service=inputs.service,
        remedy="commit the file, or leave it out with .dockerignore",
    )


def _is_written(path: str, written: frozenset[str]) -> bool:
    return path in written or _below(path, STATE_FOLDER)


def _below(path: str, folder: str) -> bool:
    return folder in {"", "."} or path == folder or path.startswith(f"{folder}/")


def _join(folder: str, name: str) -> str:
    return posixpath.normpath(posixpath.join(folder, name))


def _input_file(entry: TreeEntry, root: str) -> InputFile:
    path = entry.path if root in {"", "."} else entry.path[len(root) + 1 :]
    return InputFile(path, _MODES.get(entry.mode, "644"), entry.object_id)


def _placed(dockerfile: TreeEntry, root: str, files: Sequence[InputFile]) -> InputFile:
    """The Dockerfile where the builder will look for it: its own place in the context, else a name nothing has."""
    if _below(dockerfile.path, root):
        return _input_file(dockerfile, root)
    name = ".argosy.Dockerfile"
    while any(_below(file.path, name) for file in files):
        name = f".{name}"
    return InputFile(name, "644", dockerfile.object_id)
