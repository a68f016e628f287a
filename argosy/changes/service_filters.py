"""The filters of the services that `argosy.yaml` describes, read without the rest of it."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from functools import partial

from ruamel.yaml.nodes import Node

from argosy.changes.filters import Filter, Rule, rules
from argosy.errors import ConfigurationError
from argosy.globs import folder
from argosy.yaml_files.checked import Nodes

KEYS = frozenset(
    {"version", "registry", "registries", "ecr", "defaults", "services", "charts", "argocd", "environments"}
)
SERVICE_KEYS = frozenset({"path", "dockerfile", "chart", "registry", "shared", "filters", "build"})
"""What is known there; with anything else `argosy.config` says what is wrong."""
_NEEDED = frozenset({"version", "registry", "services", "environments"})
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_PATH = "src/{service}"


class _OddError(Exception):
    """Something that the full validation has to judge."""


@dataclass(frozen=True, slots=True)
class _Settings:
    """What the defaults or a service say; None where they say nothing."""

    path: str | None
    shared: tuple[str, ...]
    filters: Node | None


def read(text: bytes, file: str) -> dict[str, Filter]:
    """The filter of each service in `text`, in its order: its `filters`, else the defaults', else its own files.

    A service's own files are all below its `path` and its `shared` paths. Only this much of the file is looked at;
    raises ConfigurationError where that is wrong, as `argosy.config` does.
    """
    try:
        return _read(Nodes(text, file))
    except (_OddError, ConfigurationError) as error:
        raise _judged(text, file, error) from error


def _read(document: Nodes) -> dict[str, Filter]:
    top = document.pairs(document.root, "the document")
    if not _NEEDED <= top.keys() <= KEYS or top["version"][1].value != "1":
        raise _OddError
    defaults = _settings(document, top["defaults"][1]) if "defaults" in top else _Settings(None, (), None)
    services = document.pairs(top["services"][1], "services")
    if not services or not all(map(_NAME.fullmatch, services)):
        raise _OddError
    return {name: _filter(document, defaults, name, node) for name, (_, node) in services.items()}


def _settings(document: Nodes, node: Node) -> _Settings:
    if document.empty(node):
        return _Settings(None, (), None)
    found = document.pairs(node, "a service")
    if not found.keys() <= SERVICE_KEYS:
        raise _OddError
    values = {key: value for key, (_, value) in found.items()}
    path = _text(document, values["path"]) if "path" in values else None
    shared = document.items(values["shared"]) if "shared" in values else []
    filters = document.items(values["filters"]) if "filters" in values else []
    if shared is None or filters is None or any(document.items(each) is not None for each in filters):
        raise _OddError
    return _Settings(path, tuple(_text(document, each) for each in shared), values.get("filters"))


def _text(document: Nodes, node: Node) -> str:
    text = document.text(node)
    if not text or text.startswith(("/", "-")) or ".." in text.split("/") or not text.isprintable():
        raise _OddError
    return text


def _filter(document: Nodes, defaults: _Settings, name: str, node: Node) -> Filter:
    own = _settings(document, node)
    path = _filled(own.path or defaults.path or _PATH, name)
    written = own.filters or defaults.filters
    if written is not None:
        return tuple(rules(document, written, f"service {name}", partial(_fill, name=name, path=path)))
    shared = (_filled(each, name, path) for each in (*defaults.shared, *own.shared))
    return tuple(Rule((folder(each),)) for each in (path, *shared))


def _fill(template: str, name: str, path: str | None = None) -> str:
    # Braces are the globs' own: what is no placeholder stays.
    return (template if path is None else template.replace("{path}", path)).replace("{service}", name)


def _filled(template: str, name: str, path: str | None = None) -> str:
    filled = _fill(template, name, path)
    if "{" in filled or "}" in filled:
        raise _OddError
    return posixpath.normpath(filled)


def _judged(text: bytes, file: str, error: Exception) -> ConfigurationError:
    """What the full validation says is wrong; what it lets pass is an `error` all the same."""
    # Imported late: it loads pydantic, which nobody needs whose file is right.
    from argosy.settings.text import problems

    found = problems(text, file)
    if found:
        return found[0]
    if isinstance(error, ConfigurationError):
        return error
    remedy = "write them as docs/configuration.md has them"
    return ConfigurationError(f"{file}: the services cannot be read", remedy=remedy)
