"""A copy of the example whose every image takes a step of known length, which no cache can spare unless it shall."""

from __future__ import annotations

import json
import secrets
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from argosy.config import FILE
from deployments.local.seed import EXAMPLE

_FRESH = "fresh"
REMARK = "remark"
"""A label that makes other content of the same steps."""


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


def remarked(configuration: str, remark: str | None) -> dict[str, str]:
    """argosy.yaml, which is `configuration`, with a label on every service; None takes it off again."""
    described: dict[str, Any] = YAML(typ="safe").load(configuration)
    for settings in described["services"].values():
        labels = settings.setdefault("build", {}).setdefault("labels", {})
        labels.pop(REMARK, None)
        labels |= {REMARK: remark} if remark else {}
    return {FILE: json.dumps(described, indent=2)}


def doubled(shop: Path, configuration: str) -> dict[str, str]:
    """What makes ten services of the five of `shop`, by path from the root; `configuration` is what argosy.yaml is.

    Each has a twin of the same sources, with a repository, a chart and an Argo CD application of its own.
    """
    described: dict[str, Any] = YAML(typ="safe").load(configuration)
    files: dict[str, str] = {}
    for name, settings in list(described["services"].items()):
        twin, chart = f"{name}-twin", shop / f"src/{name}/chart"
        described["services"][twin] = {**settings, "path": f"src/{name}", "chart": f"src/{twin}/chart"}
        found = (file for file in chart.rglob("*") if file.is_file())
        files |= {f"src/{twin}/chart/{file.relative_to(chart)}": file.read_text() for file in found}
        manifest = (shop / f"argocd/applications/retail-store-{name}.yaml").read_text()
        manifest = manifest.replace(f"retail-store-{name}", f"retail-store-{twin}")
        files[f"argocd/applications/retail-store-{twin}.yaml"] = manifest.replace(f"src/{name}/", f"src/{twin}/")
    return {**files, FILE: json.dumps(described, indent=2)}
