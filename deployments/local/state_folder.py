"""The folder of one stack: made private, marked with its owner, and swept when the owner crashed."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path

from deployments.local.process import started_at, sweep

_OWNER = "owner.json"


def create(home: Path) -> Path:
    """A new folder for a stack in `home`, mode 0700; what crashed stacks left there is swept first."""
    stacks = home / "stacks"
    stacks.mkdir(parents=True, exist_ok=True, mode=0o700)
    sweep_crashed(stacks)
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


def _clear_engine(folder: Path) -> None:
    from deployments.local.engine import Engine  # the engine imports much, and most sweeps find nothing

    Engine(folder, folder.parent.parent / "packages").stop()


def _owner_lives(folder: Path) -> bool:
    owner = json.loads((folder / _OWNER).read_text())
    return owner["started"] is not None and started_at(owner["pid"]) == owner["started"]
