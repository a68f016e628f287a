"""What the operating system says of a folder that cannot be written to, as an error with a remedy."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from argosy.errors import ArgosyError, Terminal, Transient

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_CLOSED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR})


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Raise Transient where the disk of `folder` is full, Terminal where it may not be written to."""
    try:
        yield
    except OSError as error:
        if (explained := explain(error, folder)) is None:
            raise
        raise explained from error


def explain(error: OSError, folder: Path) -> ArgosyError | None:
    """The error that stands for `error`; None for one that is not about a disk."""
    if error.errno in _FULL:
        return Transient(
            f"the disk of {folder} is full: {error.strerror}", remedy="make room there, or move ARGOSY_HOME"
        )
    if error.errno in _CLOSED and error.filename is not None:
        return Terminal(
            f"{error.filename} cannot be used: {error.strerror}",
            remedy="let this user write there, or name another folder in ARGOSY_HOME",
        )
    return None
