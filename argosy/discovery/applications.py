"""The Argo CD Applications of a repository: the chart, values files and branch that each follows."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from argosy.discovery.fitting import fits
from argosy.discovery.manifests import at, documents, mappings, words
from argosy.discovery.notes import Note
from argosy.discovery.tree import Tree


@dataclass(frozen=True, slots=True)
class Application:
    """An Application: it follows the chart in the folder `path` at `revision`, and its values files, whole paths."""

    name: str
    path: str
    revision: str
    values: tuple[str, ...]
    file: str


def applications(tree: Tree, notes: list[Note]) -> tuple[Application, ...]:
    """Every Application that follows a folder of the repository, in the order of the files."""
    found: list[Application] = []
    for file, text in tree.named(".yaml", ".yml"):
        if "argoproj.io" not in text or "kind: Application" not in text:
            continue
        if "kind: ApplicationSet" in text:
            notes.append(Note("argocd", f"{file} has an ApplicationSet: the names it gives were not read"))
        for document in documents(text):
            if at(document, "kind") == "Application" and str(at(document, "apiVersion")).startswith("argoproj.io/"):
                found += _of(document, file, tree)
    return tuple(found)


def _of(document: Mapping[str, Any], file: str, tree: Tree) -> Iterator[Application]:
    name, spec = at(document, "metadata", "name"), at(document, "spec")
    sources = mappings([at(spec, "source")]) + mappings(at(spec, "sources"))
    # A source with a `ref` gives the others its files, as `$ref/path`.
    refs = {str(source["ref"]) for source in sources if "ref" in source}
    for source in sources:
        path = at(source, "path")
        if isinstance(path, str) and isinstance(name, str) and fits("application", name) and _clean(path) in tree:
            values = [_values(each, _clean(path), refs) for each in words(at(source, "helm", "valueFiles"))]
            revision = at(source, "targetRevision")
            yield Application(
                name, _clean(path), revision if isinstance(revision, str) else "HEAD", tuple(filter(None, values)), file
            )


def _values(written: str, chart: str, refs: set[str]) -> str:
    """The path of a values file from the repository's root; "" for one elsewhere."""
    head, _, rest = written.partition("/")
    if head.startswith("$"):
        return _clean(rest) if head[1:] in refs else ""
    if "://" in written:
        return ""
    return _clean(written.removeprefix("/") if written.startswith("/") else f"{chart}/{written}")


def _clean(path: str) -> str:
    return posixpath.normpath(path.strip("/") or ".")
