"""The folder of one stack: made private, marked with its owner, and swept when the owner crashed."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from pathlib import Path

from filelock import FileLock

from deployments.local.process import started_at, sweep

_OWNER = "owner.json"
_LOGS = ("logs", "cache/runs")
_WEEK = 7 * 24 * 3600.0


def create(home: Path) -> Path:
    """A new folder for a stack in `home`, mode 0700; what crashed stacks left there is swept first."""
    stacks = home / "stacks"
    stacks.mkdir(parents=True, exist_ok=True, mode=0o700)
    with FileLock(home / "stacks.lock"):  # two that start at once would sweep under each other
        sweep_crashed(stacks)
        sweep_logs(stacks, time.time() - _WEEK)
    # Written where nobody looks, then renamed: a folder without its owner would be taken for a crashed one.
    unborn = Path(tempfile.mkdtemp(prefix=".new-", dir=stacks))
    (unborn / _OWNER).write_text(json.dumps({"pid": os.getpid(), "started": started_at(os.getpid())}))
    state = stacks / unborn.name.removeprefix(".new-")
    unborn.rename(state)
    return state


def sweep_crashed(stacks: Path) -> list[str]:
    """End what is left of every stack whose owner is gone, remove its folder, and return the folders' names."""
    crashed = [folder for folder in stacks.iterdir() if (folder / _OWNER).exists() and not _owner_lives(folder)]
    for folder in crashed:
        sweep(folder)
        _clear_engine(folder)
        shutil.rmtree(folder, ignore_errors=True)
    return [folder.name for folder in crashed]


def remove(state: Path, *, keep_logs: bool = False) -> None:
    """Remove the folder of a stack that is stopped; with `keep_logs` all but the logs of its parts and builds."""
    kept = {state / each for each in _LOGS if keep_logs and (state / each).is_dir()}
    _clear(state, kept)


def _clear(folder: Path, kept: set[Path]) -> None:
    if folder in kept:
        return
    if not any(each.is_relative_to(folder) for each in kept):
        shutil.rmtree(folder, ignore_errors=True)
        return
    for each in folder.iterdir():
        if each.is_dir() and not each.is_symlink():
            _clear(each, kept)
        else:
            each.unlink()


def sweep_logs(stacks: Path, before: float) -> None:
    """Remove what stacks that failed left to be read, where it is older than `before`, in seconds of the epoch."""
    for folder in stacks.iterdir():
        if not (folder / _OWNER).exists() and folder.stat().st_mtime < before:
            shutil.rmtree(folder, ignore_errors=True)


def _clear_engine(folder: Path) -> None:
    from deployments.local.engine import Engine  # the engine imports much, and most sweeps find nothing

    Engine(folder, folder.parent.parent / "packages").stop()


def _owner_lives(folder: Path) -> bool:
    owner = json.loads((folder / _OWNER).read_text())
    return owner["started"] is not None and started_at(owner["pid"]) == owner["started"]
