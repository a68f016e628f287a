"""Lists of changed files that somebody else made, in a file or on standard input."""

from __future__ import annotations

import sys
from pathlib import Path

from argosy.changes.touched import Change
from argosy.errors import WrongUse


def read(source: str) -> list[Change]:
    """The files that `source` lists, `-` being standard input; nobody says how they changed, so they count as modified.

    They end with NUL where there is any, else with a newline. Raises WrongUse for a list that cannot be read.
    """
    try:
        listed = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
    except OSError as error:
        raise WrongUse(
            f"{source} cannot be read: {error.strerror}", remedy="name a file, or - for standard input"
        ) from error
    text = listed.decode(errors="surrogateescape")
    paths = text.split("\0" if "\0" in text else "\n")
    return [Change("modified", path.removeprefix("./")) for path in paths if path]
