"""The plain data that YAML nodes stand for, by the core schema of YAML 1.2: `yes` is a string, `0o14` is 12."""

from __future__ import annotations

import re
from typing import Any

from argosy.errors import ConfigurationError
from argosy.yaml_files.nodes import Mapping, Node, Scalar, Sequence

_WORDS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
# Nobody writes a number as long as Python refuses to read: such a thing is a string.
_INTEGER = re.compile(r"[-+]?[0-9]{1,99}|0o[0-7]{1,99}|0x[0-9a-fA-F]{1,99}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]{1,99}|[0-9]{1,99}(\.[0-9]{0,99})?)([eE][-+]?[0-9]{1,9})?")
_SPECIAL = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_NUMERIC = frozenset("0123456789+-.")
_CORE = "tag:yaml.org,2002:"
_KINDS: dict[str, type | tuple[type, ...]] = {
    "int": int,
    "float": (int, float),
    "bool": bool,
    "null": type(None),
    "str": str,
}


def data(node: Node | None, file: str) -> Any:
    """What `node` stands for as mappings, lists and scalars; `file` is its name in messages.

    Raises ConfigurationError for a key that stands twice or is none, a merge of what is no mapping, and a tag that
    plain data has no use for.
    """
    return None if node is None else _Reader(file).value(node)


def resolved(text: str) -> str | int | float | bool | None:
    """What the plain scalar `text` stands for."""
    if text in _WORDS:
        return _WORDS[text]
    return _number(text) if text[0] in _NUMERIC else text


def _number(text: str) -> str | int | float:
    if _INTEGER.fullmatch(text):
        return int(text, 0) if text[:2] in {"0o", "0x"} else int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return float(text.replace(".", "").lower()) if _SPECIAL.fullmatch(text) else text


def merges(key: Node) -> bool:
    """Whether `key` is the one below which other mappings are merged."""
    return isinstance(key, Scalar) and key.plain and key.value == "<<"


class _Reader:
    def __init__(self, file: str) -> None:
        self.file = file

    def value(self, node: Node) -> Any:
        if isinstance(node, Scalar):
            return resolved(node.value) if node.plain else self.tagged(node)
        if isinstance(node, Mapping):
            return self.mapping(node)
        self.check(node, "seq")
        return [self.value(item) for item in node.items]

    def mapping(self, node: Mapping) -> dict[Any, Any]:
        self.check(node, "map")
        merged: dict[Any, Any] = {}
        own: dict[Any, Any] = {}
        lines: dict[Any, int] = {}
        for key, value in node.pairs:
            name = self.key(key)
            if name in lines:
                problem = f'found duplicate key "{name}", which stands in line {lines[name]} too'
                raise self.wrong(key, problem, "leave one of the two out")
            lines[name] = key.line
            if merges(key):
                merged = self.merged(value)
            else:
                own[name] = self.value(value)
        # What stands beside a merge wins over it, wherever in the mapping that is.
        return merged | own if merged else own

    def key(self, node: Node) -> Any:
        if not isinstance(node, Scalar):
            raise self.wrong(node, "found unhashable key", "name it by a word")
        return self.value(node)

    def merged(self, node: Node) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        for source in reversed(node.items) if isinstance(node, Sequence) else [node]:
            if not isinstance(source, Mapping):
                raise self.wrong(source, "expected a mapping or list of mappings for merging", "merge mappings alone")
            found |= self.mapping(source)
        return found

    def tagged(self, node: Scalar) -> Any:
        tag = node.tag or "!"
        if tag in {"!", f"{_CORE}str"}:
            return node.value
        kind = _KINDS.get(tag.removeprefix(_CORE)) if tag.startswith(_CORE) else None
        value = resolved(node.value)
        if kind is None or not isinstance(value, kind):
            raise self.unknown(node)
        return value

    def check(self, node: Sequence | Mapping, kind: str) -> None:
        if node.tag not in {None, "!", f"{_CORE}{kind}"}:
            raise self.unknown(node)

    def unknown(self, node: Node) -> ConfigurationError:
        return self.wrong(node, f"could not determine a constructor for the tag {node.tag!r}", "leave the tag out")

    def wrong(self, node: Node, message: str, remedy: str) -> ConfigurationError:
        return ConfigurationError(f"{self.file}:{node.line}:{node.column}: {message}", remedy=remedy)
