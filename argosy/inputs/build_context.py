"""The build context, exported from the very list of files that the content digest is made over.

Everything comes from git's objects, with fixed modes and times, so that it is the same on every machine.
"""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from argosy.errors import Terminal
from argosy.git import Git
from argosy.inputs.content import BuildInputs, InputFile

_LFS_POINTER = b"version https://git-lfs.github.com/spec/"
_TIMESTAMP = 315_532_800
"""1980-01-01, the time of every exported file: the earliest that a zip archive can hold."""


def export(git: Git, inputs: BuildInputs, stream: BinaryIO) -> None:
    """Write the build context to `stream` as a tar archive: those files, those modes, one fixed time.

    The Dockerfile comes last: a stream that breaks off before it cannot be taken for the whole.
    Raises Terminal for what git does not hold itself: a submodule, or a Git LFS pointer.
    """
    last = inputs.dockerfile
    files = [*sorted((file for file in inputs.files if file.path != last.path), key=lambda file: file.path), last]
    contents = _contents(git, inputs.service, files)
    with tarfile.open(
        fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT, encoding="utf-8", errors="surrogateescape"
    ) as archive:
        archive.addfile(_root())
        for file, content in contents:
            archive.addfile(_member(file, content), io.BytesIO(content) if file.mode != "link" else None)


def bring(git: Git, built: Iterable[BuildInputs]) -> None:
    """Bring to hand all that the builds will want of git, at once: else each asks for its own.

    Raises as `Git.bring` does.
    """
    files = (file for inputs in built for file in _every(inputs))
    git.bring(file.object_id for file in files if file.mode != "submodule")


def _every(inputs: BuildInputs) -> tuple[InputFile, ...]:
    return (*inputs.files, inputs.dockerfile, *(file for each in inputs.contexts for file in each.files))


@contextmanager
def contexts(git: Git, inputs: BuildInputs, scratch: Path) -> Iterator[dict[str, str]]:
    """The named contexts as folders by their names, for the length of a `with`; they lie below `scratch`."""
    with TemporaryDirectory(prefix=f"contexts-{inputs.service}-", dir=scratch) as below:
        places = {each.name: Path(below, each.name) for each in inputs.contexts}
        for each in inputs.contexts:
            export_folder(git, inputs.service, each.files, places[each.name])
        yield {name: str(place) for name, place in places.items()}


def export_folder(git: Git, service: str, files: Sequence[InputFile], folder: Path) -> None:
    """Write the files of a named context of `service` into the new `folder`, as `export` writes the context itself."""
    folder.mkdir(mode=0o755)
    links: list[tuple[InputFile, bytes]] = []
    for file, content in _contents(git, service, files):
        if file.mode == "link":
            links.append((file, content))
        else:
            _write(_place(folder, service, file), content, int(file.mode, 8))
    # Links come last: no file of a crafted tree is written through one.
    for file, content in links:
        os.symlink(content, os.fsencode(_place(folder, service, file)))  # noqa: PTH211  # its target is bytes
    for path in [folder, *folder.rglob("*")]:
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o755)
        os.utime(path, (_TIMESTAMP, _TIMESTAMP), follow_symlinks=False)


def _place(folder: Path, service: str, file: InputFile) -> Path:
    if {"..", ".", ""} & {*file.path.split("/")}:
        raise _refused(service, file, "leads out of its folder")
    place = folder / os.fsdecode(file.path.encode(errors="surrogateescape"))
    place.parent.mkdir(parents=True, exist_ok=True)
    return place


def _write(path: Path, content: bytes, mode: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    with open(descriptor, "wb") as stream:  # noqa: PTH123  # a path cannot say that it must not be there yet
        os.fchmod(descriptor, mode)  # whatever umask the machine has
        stream.write(content)


def _contents(git: Git, service: str, files: Sequence[InputFile]) -> Iterator[tuple[InputFile, bytes]]:
    for file in files:
        if file.mode == "submodule":
            raise _refused(service, file, "is a submodule, whose files are not in this repository")
    for file, content in zip(files, git.objects(file.object_id for file in files), strict=True):
        if content is None:
            raise git.lost(file.path)
        if content.startswith(_LFS_POINTER):
            raise _refused(service, file, "is a Git LFS pointer, not the file itself")
        yield file, content


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


def _refused(service: str, file: InputFile, why: str) -> Terminal:
    return Terminal(
        f"{file.path} {why}",
        service=service,
        remedy="commit the file, or leave it out with .dockerignore",
    )
