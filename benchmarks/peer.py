"""The peer, dorny/paths-filter, run as a step of GitHub Actions runs it."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from argosy.errors import Terminal
from argosy.git import Git
from benchmarks.processes import Ran, run

VARIABLE = "PATHS_FILTER"
"""The environment variable that names the peer's index.js."""


def available() -> bool:
    """Whether the peer is there, and node to run it."""
    named = os.environ.get(VARIABLE)
    if named and not Path(named).is_file():
        raise Terminal(f"{VARIABLE} names {named}, which is no file", remedy="name the peer's dist/index.js")
    return bool(named) and shutil.which("node") is not None


def measure(git: Git, services: Sequence[str], base: str, head: str) -> Ran:
    """Ask the peer which of `services`, each at src/<name>, changed from `base` to `head`.

    Raises Terminal where it does not find that all of its filters are settled.
    """
    folder = git.directory.parent
    filters = folder / f"{git.directory.name}-filters.yaml"
    filters.write_text("".join(f"{name}:\n  - src/{name}/**\n" for name in services))
    (folder / "event.json").write_text(json.dumps({"before": base, "after": head, "ref": "refs/heads/main"}))
    output = folder / "github-output"
    output.write_text("")
    inputs = {"filters": str(filters), "base": base, "ref": head, "token": "", "list-files": "none"}
    variables = {f"INPUT_{name.upper()}": value for name, value in inputs.items()} | {
        "GITHUB_OUTPUT": str(output), "GITHUB_EVENT_NAME": "push", "GITHUB_EVENT_PATH": str(folder / "event.json"),
        "GITHUB_REF": "refs/heads/main", "GITHUB_REPOSITORY": "shop/shop",
    }  # fmt: skip
    ran = run(["node", os.environ[VARIABLE]], git.directory, variables)
    if "changes<<" not in output.read_text():
        raise Terminal("the peer gave no answer", remedy="see what it wrote")
    return ran


def changed(git: Git) -> list[str]:
    """What the peer found the last time: the names of the changed services."""
    rows = (git.directory.parent / "github-output").read_text().splitlines()
    place = next(number for number, row in enumerate(rows) if row.startswith("changes<<"))
    return list(json.loads(rows[place + 1]))
