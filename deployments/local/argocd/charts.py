"""What a Helm chart of the repository amounts to at a revision: its values, its images, and its fingerprint."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from argosy.git import Git
from deployments.local.argocd.manifests import Invalid, Manifest, documents
from deployments.local.argocd.state import Rendered

_RENDERED = ("templates/", "charts/", "crds/", "Chart.yaml", "Chart.lock")


def render(git: Git, manifest: Manifest, revision: str) -> Rendered:
    """The chart of `manifest` at the commit `revision`. Raises Invalid where Helm would fail."""
    source = manifest.source
    chart = str(PurePosixPath(str(source["path"])))
    about = _mapping(_required(git, revision, f"{chart}/Chart.yaml"), f"{chart}/Chart.yaml")
    values = _values(git, revision, chart, source)
    version = str(about.get("appVersion") or "")
    workload = _reference(values.get("image"), version)
    others = {image for image in _others(values) if image}
    return Rendered(
        revision=revision,
        fingerprint=_fingerprint(git, revision, chart, values),
        workload=workload,
        images=tuple(sorted(others | ({workload} if workload else set()))),
    )


def _values(git: Git, revision: str, chart: str, source: Mapping[str, Any]) -> dict[str, Any]:
    helm = source.get("helm") or {}
    own = f"{chart}/values.yaml"
    merged = _mapping(git.file(revision, own) or b"", own)
    for name in helm.get("valueFiles") or ():
        path = _value_file(chart, str(name))
        content = git.file(revision, path)
        if content is None and not helm.get("ignoreMissingValueFiles"):
            raise Invalid(f"failed to generate manifests: open {path}: no such file or directory")
        merged = _merge(merged, _mapping(content or b"", path))
    inline = helm.get("valuesObject") or _mapping(str(helm.get("values") or "").encode(), "spec.source.helm.values")
    merged = _merge(merged, inline)
    for parameter in helm.get("parameters") or ():
        merged = _merge(merged, _nested(str(parameter["name"]), str(parameter.get("value", ""))))
    return merged


def _value_file(chart: str, name: str) -> str:
    """Where a values file lies: below the chart, or below the repository's root where it begins with a slash."""
    parts: list[str] = []
    for part in PurePosixPath(name.lstrip("/") if name.startswith("/") else f"{chart}/{name}").parts:
        if part == ".." and not parts:
            raise Invalid(f"values file {name} is outside the repository")
        parts = parts[:-1] if part == ".." else [*parts, part]
    return "/".join(parts)


def _required(git: Git, revision: str, path: str) -> bytes:
    content = git.file(revision, path)
    if content is None:
        raise Invalid(f"failed to generate manifests: {path} does not exist at {revision}")
    return content


def _mapping(content: bytes, path: str) -> dict[str, Any]:
    loaded = next(iter(documents(content, path)), None)
    if not isinstance(loaded, dict | None):
        raise Invalid(f"{path} is no mapping")
    return loaded or {}


def _nested(name: str, value: str) -> dict[str, Any]:
    nested: Any = value
    for key in reversed(name.split(".")):
        nested = {key: nested}
    return dict(nested)


def _merge(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """The deep merge of values as Helm has it: the later one wins, and null takes a key away."""
    merged = dict(under)
    for key, value in over.items():
        below = merged.get(key)
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, Mapping):
            merged[key] = _merge(below if isinstance(below, Mapping) else {}, value)
        else:
            merged[key] = value
    return merged


def _others(values: Mapping[str, Any]) -> Iterator[str | None]:
    """The images under keys of their own (`mysql.image`), of what the values do not switch off."""
    for value in values.values():
        if not isinstance(value, Mapping) or value.get("create") is False or value.get("enabled") is False:
            continue
        if "image" in value:
            yield _reference(value["image"], "")
        yield from _others({key: each for key, each in value.items() if key != "image"})


def _reference(image: object, default_tag: str) -> str | None:
    if isinstance(image, str):
        return image or None
    if not isinstance(image, Mapping) or not image.get("repository"):
        return None
    tag = image.get("tag")
    tag = default_tag if tag is None or tag == "" else tag
    return f"{image['repository']}:{tag}" if tag != "" else str(image["repository"])


def _fingerprint(git: Git, revision: str, chart: str, values: Mapping[str, Any]) -> str:
    rows: Iterable[object] = (
        (entry.path, entry.object_id)
        for entry in git.tree(revision)
        if entry.path.startswith(f"{chart}/") and entry.path[len(chart) + 1 :].startswith(_RENDERED)
    )
    return hashlib.sha256(json.dumps([list(rows), values], default=str, sort_keys=True).encode()).hexdigest()
