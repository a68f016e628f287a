"""Repositories of any layout, as files in a folder, for the tests of what is found in them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from argosy.config import load
from argosy.discovery.document import written
from argosy.discovery.proposal import Proposal, propose
from argosy.environment import Environment, resolve

VALUES = 'image:\n  repository: {}\n  tag: "1"\n'


def made(folder: Path, files: Mapping[str, str]) -> Path:
    """A plain work tree with `files`."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def chart(folder: str, name: str, repository: str = "public.ecr.aws/others/x", *values: str) -> dict[str, str]:
    """The files of a chart in `folder`, with a reference in each values file."""
    named = {f"{folder}/{each}": VALUES.format(repository) for each in values or ("values.yaml",)}
    return {f"{folder}/Chart.yaml": f"apiVersion: v2\nname: {name}\nversion: 0.1.0\n"} | named


def application(name: str, path: str, revision: str = "main", *values: str) -> str:
    """An Argo CD Application that follows the chart in `path`."""
    files = "".join(f"        - {each}\n" for each in values)
    helm = f"    helm:\n      valueFiles:\n{files}" if values else ""
    return (
        f"apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata:\n  name: {name}\nspec:\n  source:\n"
        f"    repoURL: https://git.example/x.git\n    targetRevision: {revision}\n    path: {path}\n{helm}"
    )


def text(root: Path) -> str:
    """The argosy.yaml that is proposed for `root`."""
    return written(propose(root), ".argosy/schema.json")


def resolved(root: Path, environment: str) -> Environment:
    """An environment of the proposal, as a release would read it."""
    return resolve(load(text(root).encode()), environment)


def whys(proposal: Proposal) -> str:
    """Everything that could not be decided, by the line."""
    return "\n".join(f"{note.key}: {note.why}" for note in proposal.notes)
