"""The empty database of a Prefect server: its tables are made once for each release of Prefect, and then copied."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from importlib.metadata import version
from pathlib import Path

from filelock import FileLock

from argosy.errors import Transient
from deployments.local.process import environment

_SECONDS = 180.0


def place(database: Path, cache: Path) -> None:
    """Put a database without a row of anybody's at `database`, from the one in `cache`, which is made when missing.

    A server that finds none makes its tables itself, one migration after the other, which takes most of its start.
    Raises Transient, with Prefect's words, where that fails.
    """
    made = cache / f"prefect-{version('prefect')}.db"
    if not made.exists():
        cache.mkdir(parents=True, exist_ok=True, mode=0o700)
        with FileLock(cache / "prefect-database.lock"):
            if not made.exists():
                _make(made)
    shutil.copyfile(made, database)


def _make(made: Path) -> None:
    for left in made.parent.glob("migrating-*"):  # the lock is ours: whoever made it was killed
        shutil.rmtree(left)
    with tempfile.TemporaryDirectory(prefix="migrating-", dir=made.parent) as name:
        folder = Path(name)
        _migrate(folder)
        with closing(sqlite3.connect(folder / "migrated.db")) as connection:
            connection.execute("VACUUM INTO ?", (str(folder / "whole.db"),))  # what its journal has included
        (folder / "whole.db").rename(made)


def _migrate(folder: Path) -> None:
    variables = environment(folder) | {
        "PREFECT_HOME": str(folder / "home"),
        "PREFECT_API_DATABASE_CONNECTION_URL": f"sqlite+aiosqlite:///{folder / 'migrated.db'}",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
    }
    command = [sys.executable, "-m", "prefect", "server", "database", "upgrade", "--yes"]
    done = subprocess.run(
        command, env=variables, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=_SECONDS, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise Transient(
            f"Prefect could not make its database: {done.stderr.strip()[-2000:] or done.stdout.strip()[-2000:]}",
            remedy="see Prefect's words; the disk may be full",
        )
