"""The packs of a mirror: each fetch leaves one, and every git process looks through all of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from argosy.git import Git

SCRATCH = "tmp_join_"
_SECONDS = 600.0
MOST = 50
"""How many small packs of fetches there may be."""
SMALL = 16 * 1024 * 1024
"""How large a pack may be, in bytes, to be joined with others: the first clone's is not copied again and again."""
_COUNT, _FIRST, _LENGTH = slice(1028, 1032), 1032, 20
"""Where the index of a pack, as git has written it for long, says how many ids it lists, and where they begin."""


def join(git: Git) -> None:
    """Join the small packs of fetches where they are too many; the caller holds the mirror's lock.

    Others may read all the while, and git finds elsewhere what it finds in a pack no more. Nothing is left out, for
    what no ref reaches may be wanted; and what was written here, and not fetched, is not touched.
    """
    folder = git.directory / "objects" / "pack"
    fetched = [mark.with_suffix(".idx") for mark in folder.glob("*.promisor")]
    small = [index for index in fetched if index.exists() and _size(index.with_suffix(".pack")) < SMALL]
    if len(small) > MOST:
        _joined(git, small, folder)


def _size(pack: Path) -> int:
    try:
        return pack.stat().st_size
    except FileNotFoundError:
        return SMALL


def _joined(git: Git, indexes: Sequence[Path], folder: Path) -> None:
    ids = sorted({each for index in indexes for each in _ids(index.read_bytes())})
    listed = "".join(f"{each}\n" for each in ids).encode()
    with TemporaryDirectory(prefix=SCRATCH, dir=folder) as scratch:
        command = ("pack-objects", "--quiet", "--delta-base-offset", str(Path(scratch, "pack")))
        made = Path(scratch, f"pack-{git.run(*command, data=listed, guarded=True, timeout=_SECONDS).decode().strip()}")
        place = folder / made.name
        place.with_suffix(".promisor").touch()
        for kind in (".pack", ".idx"):  # git looks for the index, and must find the rest then
            made.with_suffix(kind).rename(place.with_suffix(kind))
    for index in indexes:
        if index.stem != place.name:
            for kind in (".idx", ".pack", ".promisor", ".rev"):
                index.with_suffix(kind).unlink(missing_ok=True)


def _ids(index: bytes) -> list[str]:
    rows = index[_FIRST : _FIRST + int.from_bytes(index[_COUNT]) * _LENGTH]
    return [rows[at : at + _LENGTH].hex() for at in range(0, len(rows), _LENGTH)]
