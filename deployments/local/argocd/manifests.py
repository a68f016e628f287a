"""Application manifests as a repository holds them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from argosy.git import EXECUTABLE, REGULAR, TreeEntry

_MOST_FILES, _MOST_BYTES = 5_000, 1_000_000
_APPLICATION = re.compile(rb"""\bkind["']?\s*:\s*["']?Application\b""")
_TEMPLATE = re.compile(rb"{{|{%")


class Invalid(ValueError):
    """A manifest or chart that Argo CD could not use either; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """An Application: `spec` is as written."""

    name: str
    metadata: Mapping[str, Any]
    spec: Mapping[str, Any]

    @property
    def project(self) -> str:
        """The project it belongs to."""
        return str(self.spec.get("project") or "default")

    @property
    def source(self) -> Mapping[str, Any]:
        """Its one source. Raises Invalid where it has several or none."""
        source = self.spec.get("source")
        if not isinstance(source, Mapping) or not source.get("path"):
            raise Invalid(f"application {self.name} has no spec.source with a path; the stand-in follows no others")
        return source

    @property
    def target_revision(self) -> str:
        """The branch, tag or commit that it follows; `HEAD` where it names none."""
        source = self.spec.get("source")
        return str((source.get("targetRevision") if isinstance(source, Mapping) else None) or "HEAD")

    @property
    def automated(self) -> bool:
        """Whether it syncs by itself."""
        policy = self.spec.get("syncPolicy")
        automated = policy.get("automated") if isinstance(policy, Mapping) else None
        return isinstance(automated, Mapping) and automated.get("enabled") is not False


def documents(content: bytes, path: str) -> list[Any]:
    """The YAML documents of a file. Raises Invalid."""
    try:
        return _loaded(content, pure=False)
    except YAMLError:
        pass  # the fast parser refuses what is none of YAML 1.1: a bare URL in {url: https://…}, say
    try:
        return _loaded(content, pure=True)
    except YAMLError as error:
        raise Invalid(f"{path} is no YAML: {error}") from error


def _loaded(content: bytes, *, pure: bool) -> list[Any]:
    yaml = YAML(typ="safe", pure=pure)
    yaml.allow_duplicate_keys = True  # real charts have some, and Helm takes the last
    return list(yaml.load_all(content))


def manifest_files(tree: Iterable[TreeEntry]) -> list[TreeEntry]:
    """The files of a commit's tree that may hold manifests: YAML, and no template of a chart. Raises Invalid."""
    files = [entry for entry in tree if entry.mode in {REGULAR, EXECUTABLE}]
    charts = {PurePosixPath(entry.path).parent for entry in files if PurePosixPath(entry.path).name == "Chart.yaml"}
    found = [each for each in files if each.path.endswith((".yaml", ".yml")) and not _is_template(each.path, charts)]
    if len(found) > _MOST_FILES:
        raise Invalid(f"the repository has {len(found)} YAML files; the stand-in looks into {_MOST_FILES} at most")
    return found


def _is_template(path: str, charts: set[PurePosixPath]) -> bool:
    return any(folder.name == "templates" and folder.parent in charts for folder in PurePosixPath(path).parents)


def applications(content: bytes, path: str) -> list[Manifest]:
    """The Applications of a file; whatever else it holds (projects, say) is left to others. Raises Invalid."""
    if len(content) > _MOST_BYTES or not _APPLICATION.search(content) or _TEMPLATE.search(content):
        return []  # most files of a repository are none, and need not even be YAML
    return [_manifest(each, path) for each in documents(content, path) if _is_application(each)]


def _is_application(document: object) -> bool:
    if not isinstance(document, dict) or document.get("kind") != "Application":
        return False
    return str(document.get("apiVersion", "")).startswith("argoproj.io/")  # others have Applications too


def _manifest(document: Mapping[str, Any], path: str) -> Manifest:
    metadata, spec = document.get("metadata"), document.get("spec")
    if not isinstance(metadata, Mapping) or not isinstance(spec, Mapping) or not metadata.get("name"):
        raise Invalid(f"{path}: an Application without metadata.name or spec")
    return Manifest(str(metadata["name"]), metadata, spec)
