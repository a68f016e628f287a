"""A YAML document that knows where each of its values stands, so that an error can name the line."""

from __future__ import annotations

import difflib
from collections import abc
from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from argosy.errors import ConfigurationError
from argosy.printable import printable
from argosy.yaml_files.data import data, merges
from argosy.yaml_files.nodes import Mapping, Node, Scalar, Sequence, compose

Path = tuple[str | int, ...]


class Document:
    """The YAML 1.2 document in `text`; `file` is its name in messages.

    Raises ConfigurationError for what is no YAML, holds several documents, or names a key twice.
    """

    def __init__(self, text: bytes, file: str) -> None:
        self.file = file
        self._root = compose(text, file)
        self._pairs: dict[Mapping, dict[str, tuple[Node, Node]]] = {}

    def data(self) -> Any:
        """The document as plain mappings, lists and scalars; raises ConfigurationError for a key that stands twice."""
        return data(self._root, self.file)

    def error(self, path: abc.Sequence[str | int], message: str, remedy: str) -> ConfigurationError:
        """A ConfigurationError about the value at `path`, with the line and column where it stands."""
        line, column = self._position(path)
        dotted = printable(".".join(map(str, path)))
        return ConfigurationError(f"{self.file}:{line}:{column}: {dotted} {message}".rstrip(), remedy=remedy)

    def refusals(self, error: ValidationError, model: type[BaseModel]) -> list[ConfigurationError]:
        """Each of pydantic's complaints in words and with its place, the most telling first."""
        # A misspelt key is also a missing one: the misspelling says more.
        complaints = sorted(error.errors(include_url=False), key=lambda each: each["type"] != "extra_forbidden")
        return [self._refusal(each, model) for each in complaints]

    def _refusal(self, complaint: ErrorDetails, model: type[BaseModel]) -> ConfigurationError:
        path = tuple(part for part in complaint["loc"] if part != "[key]")
        if complaint["type"] == "extra_forbidden":
            return self.error(path, "is not a known key", _nearest(str(path[-1]), _keys(model, path[:-1])))
        if complaint["type"] == "missing":
            return self.error(path, "is missing", f"add {path[-1]}")
        message = complaint["msg"].removeprefix("Value error, ")
        remedy = "put it in quotes" if complaint["type"] == "string_type" else "see docs/configuration.md"
        return self.error(path, f"is wrong: {message}", remedy)

    def path_to(self, scalar: str) -> Path:
        """Where the first value that reads `scalar` stands; the document itself where none does."""
        return next(_paths_to(self._root, scalar, ()), ())

    def line(self, path: abc.Sequence[str | int]) -> int | None:
        """The line of the value at `path`; None where there is none."""
        node, line = self._root, None
        for part in path:
            found = self._child(node, part)
            if found is None:
                return None
            line, node = found[0].line, found[1]
        return line

    def _child(self, node: Node | None, part: str | int) -> tuple[Node, Node] | None:
        if isinstance(node, Mapping):
            pairs = self._pairs.get(node) or self._pairs.setdefault(node, _by_name(node))
            return pairs.get(str(part))
        if isinstance(node, Sequence) and isinstance(part, int) and part < len(node.items):
            return node.items[part], node.items[part]
        return None

    def _position(self, path: abc.Sequence[str | int]) -> tuple[int, int]:
        node, mark = self._root, (1, 1)
        for part in path:
            found = self._child(node, part)
            if found is None:
                break
            key, node = found
            mark = (key.line, key.column)
        return mark


def _merged(node: Mapping) -> Iterator[Node]:
    for key, value in node.pairs:
        if merges(key):
            yield from value.items if isinstance(value, Sequence) else [value]


def _paths_to(node: Node | None, scalar: str, path: Path) -> Iterator[Path]:
    if isinstance(node, Mapping):
        for key, value in node.pairs:
            yield from _paths_to(value, scalar, (*path, key.value if isinstance(key, Scalar) else ""))
    elif isinstance(node, Sequence):
        for index, item in enumerate(node.items):
            yield from _paths_to(item, scalar, (*path, index))
    elif node is not None and _reads(node, scalar):
        yield path


def _reads(node: Node, text: str) -> bool:
    return isinstance(node, Scalar) and node.value == text


def _by_name(node: Mapping) -> dict[str, tuple[Node, Node]]:
    """The pairs of a mapping, what stands in it before what is merged below it."""
    found: dict[str, tuple[Node, Node]] = {}
    for key, value in node.pairs:
        if isinstance(key, Scalar):
            found.setdefault(key.value, (key, value))
    for source in _merged(node):
        if isinstance(source, Mapping):
            found = _by_name(source) | found
    return found


def _keys(model: type[BaseModel], path: abc.Sequence[str | int]) -> list[str]:
    """The keys that the part of `model` at `path` knows."""
    kind: Any = model
    for part in path:
        field = next((each for name, each in _fields(kind) if name == part), None)
        kind = field.annotation if field else _value_type(kind)
        kind = next((option for option in get_args(kind) if _is_model(option)), kind)
    return [name for name, _ in _fields(kind)]


def _fields(kind: Any) -> list[tuple[str, FieldInfo]]:
    """The fields of a model by the names that they have in the file."""
    return [(field.alias or name, field) for name, field in kind.model_fields.items()] if _is_model(kind) else []


def _is_model(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _value_type(kind: object) -> object:
    return get_args(kind)[-1] if getattr(kind, "__origin__", None) in {dict, abc.Mapping} else kind


def _nearest(key: str, known: abc.Sequence[str]) -> str:
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
    return f"did you mean {near[0]}?" if near else f"known here: {', '.join(known) or 'none'}"
