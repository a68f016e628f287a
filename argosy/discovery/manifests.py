"""YAML files of others, which may hold several documents, templates, and whatever else: what of it can be read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from argosy.errors import ConfigurationError
from argosy.yaml_files.positions import Document

_BETWEEN = re.compile(r"^---(?=\s|$).*$", re.MULTILINE)


def documents(text: str) -> Iterator[Mapping[str, Any]]:
    """Each mapping among the documents in `text`; what is no plain YAML is left out."""
    for part in _BETWEEN.split(text):
        try:
            data = Document(part.encode(), "").data()
        except ConfigurationError:
            continue
        if isinstance(data, Mapping):
            yield data


def at(value: Any, *path: str) -> Any:
    """What `value` has at `path`; None where there is nothing."""
    for part in path:
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def words(value: Any) -> list[str]:
    """The strings of a list, or the one string."""
    values = value if isinstance(value, list) else [value]
    return [each for each in values if isinstance(each, str)]


def mappings(value: Any) -> list[Mapping[str, Any]]:
    """The mappings of a list."""
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []
