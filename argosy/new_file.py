"""A text file that appears whole or not at all, and takes the place of another only where that is asked for."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

from argosy.errors import Terminal, WrongUse


def place(file: Path, text: str, *, replace: bool) -> None:
    """Write `text` to `file`; a link there is replaced, never followed.

    Raises WrongUse where something is there already and `replace` is not set, Terminal where nothing can be written.
    """
    fresh = file.with_name(f".{file.name}.{uuid.uuid4().hex}")
    try:
        _write(fresh, text)
        if replace:
            fresh.replace(file)
        else:
            os.link(fresh, file)  # unlike a rename it fails where something is there
    except FileExistsError as error:
        raise taken(file) from error
    except OSError as error:
        remedy = "see that the folder is there and may be written, or print it with --print"
        raise Terminal(f"{file} cannot be written: {error.strerror or error}", remedy=remedy) from error
    finally:
        fresh.unlink(missing_ok=True)


def taken(file: Path) -> WrongUse:
    """What to say where `file` is there already."""
    return WrongUse(f"{file} is there already", remedy="replace it with --force, or see what it would be with --print")


def _write(file: Path, text: str) -> None:
    with file.open("x", encoding="utf-8", newline="\n") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
