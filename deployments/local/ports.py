"""Ports of 127.0.0.1: kept until a part of the stack listens there, and looked up to see who does."""

from __future__ import annotations

import socket
import weakref
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from argosy.errors import WrongUse

_LISTENING = "0A"  # of /proc/net/tcp: proc(5)


class Port:
    """A port of 127.0.0.1: the one that was asked for, else one that is free and kept for as long as this lives.

    A port that is kept is given to no program that asks the system for a free one, however late its part starts or
    starts again; the part itself, as every server does, binds it all the same.
    """

    def __init__(self, number: int | None = None) -> None:
        self.number = number if number is not None else self._keep()

    def _keep(self) -> int:
        kept = socket.socket()
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # else nobody could listen beside it
        kept.bind(("127.0.0.1", 0))
        weakref.finalize(self, kept.close)
        number: int = kept.getsockname()[1]
        return number

    @property
    def host(self) -> str:
        """`127.0.0.1:PORT`."""
        return f"127.0.0.1:{self.number}"

    @property
    def url(self) -> str:
        """`http://127.0.0.1:PORT`."""
        return f"http://{self.host}"

    def listened_on_by(self, group: int) -> bool:
        """Whether a process of that group, and nobody else, accepts connections on it."""
        return bool(_listeners(self.number) & set(_sockets(group)))


def check_free(port: int) -> None:
    """Raise WrongUse where nothing can listen on `port` of 127.0.0.1."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # one in TIME_WAIT is free, as servers see it
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError) as error:
            why = error.strerror if isinstance(error, OSError) else "ports go up to 65535"
            raise WrongUse(
                f"port {port} of 127.0.0.1 cannot be had: {why}",
                remedy="end what listens there (ss -ltnp shows it), ask for another, or for none",
            ) from error


def _listeners(port: int) -> set[str]:
    """The inodes of the sockets that listen on `port`, by IPv4."""
    rows = (line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:])
    return {row[9] for row in rows if row[3] == _LISTENING and row[1].endswith(f":{port:04X}")}


def _sockets(group: int) -> Iterator[str]:
    """The inodes of the sockets that the group's processes have open."""
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it ended meanwhile, or is somebody else's
            if (process / "stat").read_text().rpartition(")")[2].split()[2] == str(group):
                yield from _sockets_of(process)


def _sockets_of(process: Path) -> Iterator[str]:
    for link in (process / "fd").iterdir():
        with suppress(OSError):  # it was closed meanwhile, and says nothing of the others
            if (target := str(link.readlink())).startswith("socket:["):
                yield target[8:-1]
