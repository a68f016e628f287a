"""The processes of this machine as /proc shows them: one that ends while it is looked at is none, and no error."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_ROOT = Path("/proc")


def shown(*places: str) -> Iterator[tuple[Path, bytes]]:
    """The folder of each process, with what is in `places` of it (`cmdline`, `environ`, `cgroup`) one after another."""
    for folder in _folders():
        with suppress(OSError):
            yield folder, b"".join((folder / place).read_bytes() for place in places)


def opened() -> Iterator[tuple[Path, str]]:
    """Each file descriptor of each process, with what it leads to."""
    for folder in _folders():
        for link in _links(folder / "fd"):
            with suppress(OSError):
                yield link, str(link.readlink())


def content(file: Path) -> bytes:
    """What is in a regular file, such as one in memory; nothing of what is none, whatever it was a moment ago.

    Another process's descriptor may lead to its pipe by now: who reads that takes from it what somebody else waits for.
    """
    with open(os.open(file, os.O_RDONLY | os.O_NONBLOCK), "rb") as opened:  # noqa: PTH123  # pathlib has no such flag
        return opened.read() if stat.S_ISREG(os.fstat(opened.fileno()).st_mode) else b""


def runs(folder: Path) -> bool:
    """Whether the process of that folder runs: one that is dead and waits to be reaped does not."""
    try:
        return (folder / "stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
    except OSError:
        return False


def _folders() -> list[Path]:
    return [entry for entry in _ROOT.iterdir() if entry.name.isdigit()]


def _links(folder: Path) -> list[Path]:
    # Listed by hand: `Path.glob` lets a folder that goes away meanwhile raise.
    try:
        return list(folder.iterdir())
    except OSError:
        return []
