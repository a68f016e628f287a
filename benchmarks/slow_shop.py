"""A copy of the example whose every image takes a step of known length, which no cache can spare."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterable
from pathlib import Path

from deployments.local.seed import EXAMPLE

_FRESH = "fresh"


def make(target: Path, seconds: float) -> Path:
    """Copy the example to `target`, give each Dockerfile a step of `seconds` that depends on a fresh file."""
    shutil.copytree(EXAMPLE, target, symlinks=True)
    for dockerfile in target.glob("src/*/Dockerfile"):
        with dockerfile.open("a") as end:
            end.write(f"\nCOPY {_FRESH} /srv/{_FRESH}\nRUN sleep {seconds:g}\n")
        with (dockerfile.parent / ".dockerignore").open("a") as end:
            end.write(f"\n!{_FRESH}\n")
        (dockerfile.parent / _FRESH).write_text("first\n")
    return target


def freshened(paths: Iterable[str]) -> dict[str, str]:
    """New content for the fresh file of each service, by path from the root; `paths` are those of the services."""
    return {f"{path}/{_FRESH}": f"{secrets.token_hex(16)}\n" for path in paths}
