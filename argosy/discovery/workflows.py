"""The GitHub workflows of a repository: the branches they run for, their path filters, and how they build."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from argosy.discovery.fitting import fits
from argosy.discovery.manifests import at, documents, mappings, words
from argosy.discovery.tree import Tree

_FOLDER = ".github/workflows/"
_EXPRESSION = re.compile(r"\$\{\{\s*([\w.-]+)\s*\}\}")
_VARIABLE = re.compile(r"\$\{?(?:matrix_)?(?:service|svc|component|app)(?:_?name)?\}?(?![\w.])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Build:
    """How docker/build-push-action is told to build, `{service}` standing for what a matrix fills in."""

    context: str
    file: str
    target: str | None
    platforms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Workflows:
    """What all workflows say together; `texts` are theirs, variables filled in where they are known."""

    branches: tuple[str, ...]
    filters: Mapping[str, tuple[str, ...]]
    builds: tuple[Build, ...]
    texts: Mapping[str, str]


def workflows(tree: Tree) -> Workflows:
    """What the workflows of `tree` say."""
    branches: dict[str, None] = {}
    filters: dict[str, tuple[str, ...]] = {}
    builds: list[Build] = []
    texts = {}
    for file, text in tree.named(".yaml", ".yml", below=_FOLDER):
        texts[file] = filled(text, {})
        for document in documents(text):
            known = _variables(document)
            texts[file] = filled(text, known)
            branches |= dict.fromkeys(_branches(document))
            for step in _steps(document):
                filters |= _filters(step)
                builds += _builds(step, known)
    return Workflows(tuple(branches), filters, tuple(builds), texts)


def filled(text: str, known: Mapping[str, str]) -> str:
    """`text` with the variables that are `known`, and `{service}` for those that stand for a service."""

    def value(match: re.Match[str]) -> str:
        head, _, name = match[1].partition(".")
        if head == "env" and name in known:
            return known[name]
        return "{service}" if head == "matrix" and "." not in name else match[0]

    return _VARIABLE.sub("{service}", _EXPRESSION.sub(value, text))


def _variables(document: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    jobs = at(document, "jobs")
    parts = [document, *(jobs.values() if isinstance(jobs, Mapping) else ()), *_steps(document)]
    for part in parts:
        environment = at(part, "env")
        if isinstance(environment, Mapping):
            found |= {str(key): str(value) for key, value in environment.items() if "${{" not in str(value)}
    return found


def _branches(document: Mapping[str, Any]) -> list[str]:
    branches = words(at(document, "on", "push", "branches"))
    return [branch for branch in branches if re.fullmatch(r"[\w./-]+", branch)]


def _steps(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    jobs = at(document, "jobs")
    for job in jobs.values() if isinstance(jobs, Mapping) else ():
        yield from mappings(at(job, "steps"))


def _filters(step: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    if not str(at(step, "uses")).startswith("dorny/paths-filter"):
        return {}
    given = at(step, "with", "filters")
    found = next(documents(given), {}) if isinstance(given, str) else {}
    return {str(name): tuple(_flat(value)) for name, value in found.items()}


def _flat(value: Any) -> list[str]:
    if isinstance(value, list):
        return [glob for each in value for glob in _flat(each)]
    return list(filter(None, words(value)))


def _builds(step: Mapping[str, Any], known: Mapping[str, str]) -> Iterator[Build]:
    if str(at(step, "uses")).startswith("docker/build-push-action"):

        def said(key: str) -> str:
            value = at(step, "with", key)
            return filled(value, known).strip() if isinstance(value, str) else ""

        platforms = _clean(re.split(r"[,\s]+", said("platforms")))
        yield Build(_path(said("context") or "."), _path(said("file")), said("target") or None, platforms)


def _path(text: str) -> str:
    path = text.removeprefix("./").rstrip("/") or "."
    return path if text and "$" not in text and "://" not in text and fits("path", path) else ""


def _clean(platforms: Sequence[str]) -> tuple[str, ...]:
    return tuple(each for each in platforms if re.fullmatch(r"[a-z0-9]+/[a-z0-9]+(/[a-z0-9]+)?", each))
