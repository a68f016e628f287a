"""Where Argosy keeps its cache: one folder, which may be deleted at any time."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from argosy.disk import writing


def location(variables: Mapping[str, str]) -> Path:
    """The root of the cache: `ARGOSY_HOME`, else `~/.cache/argosy`."""
    return Path(variables.get("ARGOSY_HOME") or Path.home() / ".cache" / "argosy")


def home() -> Path:
    """The root of the cache, made with mode 0700 where it is missing; raises as `disk.writing` does."""
    root = location(os.environ)
    with writing(root):
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
    return root


def run_folder(run: str) -> Path:
    """The folder of one run: its build logs and scratch files; raises as `disk.writing` does."""
    folder = home() / "runs" / run
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder
