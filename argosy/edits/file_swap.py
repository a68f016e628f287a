"""Files that get new content together or not at all, each of them whole at every moment."""

from __future__ import annotations

import contextlib
import os
import stat
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from argosy.errors import Terminal


@dataclass(frozen=True, slots=True)
class Swap:
    """What a file holds, and what it is to hold."""

    old: bytes
    new: bytes


def swap(files: Mapping[Path, Swap], move: Callable[[Path, Path], object] = Path.replace) -> None:
    """Put the new content of each file in its place; modes stay, and owners where that is allowed.

    Raises Terminal where one holds something else by now, or cannot be written: then each holds what it held. A process
    that is killed in between may leave some files new and some old, none in halves.
    """
    staged = _Staged()
    try:
        for file, each in files.items():
            staged.add(file, each)
        for file, each in files.items():
            if file.read_bytes() != each.old:
                raise Terminal(f"{file} was changed meanwhile", remedy="run it again")
        staged.move(move)
    except OSError as error:
        place = error.filename or next(iter(files), "")
        remedy = "see that its folder may be written and the disk has room; every file is as it was"
        raise Terminal(f"{place} cannot be written: {error.strerror or error}", remedy=remedy) from error
    finally:
        staged.clear()


class _Staged:
    """The new and the old content of files, beside them."""

    def __init__(self) -> None:
        self.fresh: dict[Path, Path] = {}
        self.kept: dict[Path, Path] = {}

    def add(self, file: Path, each: Swap) -> None:
        self.fresh[file] = _written(file, each.new)
        self.kept[file] = _written(file, each.old)  # before anything moves: the disk may be full by then

    def move(self, move: Callable[[Path, Path], object]) -> None:
        moved: list[Path] = []
        try:
            for file, fresh in self.fresh.items():
                move(fresh, file)
                moved.append(file)
        except OSError:
            for file in moved:
                self.kept[file].replace(file)
            raise

    def clear(self) -> None:
        for path in (*self.fresh.values(), *self.kept.values()):
            path.unlink(missing_ok=True)


def _written(file: Path, content: bytes) -> Path:
    path = file.with_name(f".{file.name[:200]}.{uuid.uuid4().hex}")
    try:
        with path.open("xb") as stream:
            _like(stream.fileno(), file.stat())
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
    except OSError:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
        raise
    return path


def _like(descriptor: int, status: os.stat_result) -> None:
    with contextlib.suppress(PermissionError):  # only root may give files away
        os.fchown(descriptor, status.st_uid, status.st_gid)
    os.fchmod(descriptor, stat.S_IMODE(status.st_mode))
