"""A YAML 1.2 document as nodes that know their place, read by the parser written in C and checked before it is used."""

from __future__ import annotations

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import DocumentStartEvent
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from argosy.errors import ConfigurationError, Terminal
from argosy.yaml_files import text as yaml_text

_LARGEST, _DEEPEST = 100_000, 50
_TAG = "tag:yaml.org,2002:"


class Nodes:
    """The nodes of the document in `text`; `file` is its name in messages.

    Raises ConfigurationError, with the line where there is one, for what is no YAML, for no document or several, and
    for what aliases make endless.
    """

    def __init__(self, text: bytes, file: str) -> None:
        self.file = file
        try:
            decoded = yaml_text.decode(text, file)[1]
            self.root = yaml_text.compose(decoded, file)
        except Terminal as error:
            place = _second(text)
            if place:
                raise ConfigurationError(
                    f"{file}:{place}:1: a second document begins", remedy="keep one document, without --- in between"
                ) from error
            raise ConfigurationError(error.message, remedy="correct the YAML there") from error
        self._bound()

    def error(self, node: Node, message: str, remedy: str) -> ConfigurationError:
        """A ConfigurationError about `node`, with the line and column where it begins."""
        mark = node.start_mark
        return ConfigurationError(f"{self.file}:{mark.line + 1}:{mark.column + 1}: {message}", remedy=remedy)

    def pairs(self, node: Node, what: str) -> dict[str, tuple[Node, Node]]:
        """The keys of a mapping, each with its own node and its value's; `<<` is merged as YAML 1.1 has it.

        Raises ConfigurationError for what is no plain mapping, and for a key that is there twice.
        """
        if not isinstance(node, MappingNode) or node.tag != f"{_TAG}map":
            raise self.error(node, f"{what} must be a mapping, without a tag", "write `key: value` lines there")
        own: dict[str, tuple[Node, Node]] = {}
        merged: list[Node] = []
        for key, value in node.value:
            if key.tag == f"{_TAG}merge":
                merged += value.value if isinstance(value, SequenceNode) else [value]
                continue
            name = self._name(key)
            if name in own:
                raise self.error(key, f"{name} is there twice", "leave one of the two out")
            own[name] = key, value
        for each in merged:
            own = self.pairs(each, "what << names") | own
        return own

    def _name(self, key: Node) -> str:
        if not isinstance(key, ScalarNode) or not str(key.tag).startswith(_TAG):
            raise self.error(key, "a key must be plain text", "write it without a tag, brackets or braces")
        return str(key.value)

    def items(self, node: Node) -> list[Node] | None:
        """The items of a plain list; None for everything else."""
        return list(node.value) if isinstance(node, SequenceNode) and node.tag == f"{_TAG}seq" else None

    def text(self, node: Node) -> str | None:
        """What a plain or quoted text says; None for everything else, numbers and booleans too."""
        return str(node.value) if isinstance(node, ScalarNode) and node.tag == f"{_TAG}str" else None

    def empty(self, node: Node) -> bool:
        """Whether there is nothing, or null."""
        return isinstance(node, ScalarNode) and node.tag == f"{_TAG}null"

    def _bound(self) -> None:
        waiting, seen = [(self.root, 0)], 0
        while waiting:
            node, depth = waiting.pop()
            seen += 1
            if seen > _LARGEST or depth > _DEEPEST:
                raise self.error(node, "stands for too much", "write it without aliases")
            if isinstance(node, MappingNode):
                waiting += [(part, depth + 1) for pair in node.value for part in pair]
            elif isinstance(node, SequenceNode):
                waiting += [(part, depth + 1) for part in node.value]


def _second(text: bytes) -> int | None:
    """The line on which a second document begins; None where there is none, or what is there is no YAML."""
    lines: list[int] = []
    try:
        for event in YAML(typ="safe", pure=False).parse(text):
            if isinstance(event, DocumentStartEvent):
                lines.append(event.start_mark.line + 1)
    except (YAMLError, UnicodeDecodeError):
        return None
    return lines[1] if len(lines) > 1 else None
