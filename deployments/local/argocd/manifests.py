"""Application manifests as a repository holds them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError


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
    yaml = YAML(typ="safe", pure=False)
    yaml.allow_duplicate_keys = True  # real charts have some, and Helm takes the last
    try:
        return list(yaml.load_all(content))
    except YAMLError as error:
        raise Invalid(f"{path} is no YAML: {error}") from error


def applications(content: bytes, path: str) -> list[Manifest]:
    """The Applications of a file; whatever else it holds (projects, say) is left to others. Raises Invalid."""
    found = (each for each in documents(content, path) if isinstance(each, dict) and each.get("kind") == "Application")
    return [_manifest(each, path) for each in found]


def _manifest(document: Mapping[str, Any], path: str) -> Manifest:
    metadata, spec = document.get("metadata"), document.get("spec")
    if not isinstance(metadata, Mapping) or not isinstance(spec, Mapping) or not metadata.get("name"):
        raise Invalid(f"{path}: an Application without metadata.name or spec")
    return Manifest(str(metadata["name"]), metadata, spec)
