"""Looking for secrets: in bytes, files, layers, databases, git's objects, and in what processes show of themselves."""

from __future__ import annotations

import gzip
import os
import sqlite3
import subprocess
import threading
import zlib
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote, quote_plus

from pydantic import SecretStr

_SHORTEST = 12
_PAUSE = 0.02
_YOUNG, _RARELY = 20, 10
"""How often a new process is looked at, and after which number of looks again: before exec it shows its parent's.

One that has become another program is as good as new: a step of a build is runc at first, and for a while.
"""


class Canaries:
    """Secrets by name, and where they are found, in whatever writing. Written apart from the redaction it judges."""

    def __init__(self, secrets: Mapping[str, SecretStr]) -> None:
        self._forms = {
            (name, form)
            for name, secret in secrets.items()
            for line in secret.get_secret_value().splitlines()
            if len(line) >= _SHORTEST and not line.startswith("-----")
            for form in _writings(line)
        }

    def of(self, data: bytes) -> set[str]:
        """The names of the secrets that `data` holds, itself or unpacked where it is a gzip stream."""
        found = {name for name, form in self._forms if form in data}
        return found | (self.of(_unpacked(data)) if data[:2] == b"\x1f\x8b" else set())

    def in_files(self, folder: Path) -> set[tuple[str, str]]:
        """The secrets in the files below `folder`, each with the file's path from there; its name counts too."""
        files = list(folder.rglob("*"))
        assert files, f"nothing lies in {folder}"
        return {(name, str(file.relative_to(folder))) for file in files for name in self.of(_content(file))}

    def in_database(self, file: Path) -> set[tuple[str, str]]:
        """The secrets in every column of every table of an SQLite database, each with the table's name."""
        found, tables = set(), set()
        for table, row in rows(file):
            tables.add(table)
            found |= {(name, table) for name in self.of(row)}
        assert tables, f"no table of {file} has a row"
        return found

    def in_git(self, repository: Path) -> set[tuple[str, str]]:
        """The secrets in any object of a git repository, reachable or not."""
        command = ["git", "-C", str(repository), "cat-file", "--batch-all-objects", "--batch", "--buffer"]
        objects = subprocess.run(command, check=True, capture_output=True).stdout
        assert objects, f"{repository} is empty"
        return {(name, str(repository)) for name in self.of(objects)}


def _writings(line: str) -> Iterator[bytes]:
    yield line.encode()
    yield from (quote(line, safe="").encode(), quote(line).encode(), quote_plus(line).encode())
    for start in range(3):  # wherever in a base64 text it begins, its whole groups of three are there
        whole = line.encode()[start:]
        groups = whole[: len(whole) // 3 * 3]
        yield from (b64encode(groups), urlsafe_b64encode(groups))


def _content(file: Path) -> bytes:
    try:
        # Sockets and pipes would never end; a link's target is named in it.
        linked = str(file.readlink()).encode() if file.is_symlink() else b""
        return str(file).encode() + linked if linked or not file.is_file() else _framed(file.read_bytes())
    except OSError:
        return b""  # it went meanwhile


def _framed(data: bytes) -> bytes:
    """`data`, unpacked too where it is one of git's loose objects."""
    if data[:1] != b"\x78":
        return data
    try:
        return data + zlib.decompress(data)
    except zlib.error:
        return data


def _unpacked(data: bytes) -> bytes:
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error):
        return b""


def rows(file: Path) -> Iterator[tuple[str, bytes]]:
    """Every row of every table, with the table's name; columns are separated by NUL."""
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=30)) as database:
        database.text_factory = bytes
        tables = [name.decode() for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            for row in database.execute(f'SELECT * FROM "{table}"'):  # noqa: S608  # the names come from the database
                yield table, b"\0".join(cell if isinstance(cell, bytes) else str(cell).encode() for cell in row)


class Watch:
    """Looks at the arguments and environment of every process of this machine, as long as the `with` lasts.

    It keeps what they showed, as some secrets are known only later.
    """

    def __init__(self) -> None:
        self._shown: set[tuple[bytes, bytes]] = set()
        self._looks: dict[str, tuple[int, bytes]] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    @property
    def programs(self) -> set[str]:
        """The names of the programs that ran."""
        return {_words(arguments).partition(" ")[0].rpartition("/")[2] for arguments, _ in self._shown}

    def found(self, canaries: Canaries) -> set[tuple[str, str, str]]:
        """Each secret that was seen, `cmdline` or `environ`, and the arguments of the process that showed it."""
        return {
            (name, where, _words(shown[0]))
            for shown in list(self._shown)
            for where, data in zip(("cmdline", "environ"), shown, strict=True)
            for name in canaries.of(data)
        }

    def _run(self) -> None:
        while not self._over.wait(_PAUSE):
            self._look()

    def _look(self) -> None:
        living = {name for name in os.listdir("/proc") if name.isdigit()}  # noqa: PTH208  # many times a second
        self._looks = {pid: known for pid, known in self._looks.items() if pid in living}
        for pid in living:
            looks, known = self._looks.get(pid, (0, b""))
            if looks <= _YOUNG or looks % _RARELY == 0:
                arguments = _shown(pid, "cmdline")
                if arguments:  # else it is about to become a program, and is looked at again as that
                    self._shown.add((arguments, _shown(pid, "environ")))
                looks = looks if arguments == known else 0
                known = arguments
            self._looks[pid] = looks + 1, known


def _words(arguments: bytes) -> str:
    return arguments.replace(b"\0", b" ").decode(errors="replace").strip()


def _shown(pid: str, what: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{what}").read_bytes()
    except OSError:
        return b""  # it ended meanwhile, or is none of ours


def names(found: Iterable[tuple[str, ...]]) -> set[str]:
    """The names of the secrets that were found."""
    return {each[0] for each in found}
