"""A YAML document as nodes that know where they stand: composed from the events of the parser written in C.

The parser's own composer follows nesting by recursion and ends the whole process when that goes too deep; here what is
too deep or too much is refused while it is read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from argosy.errors import ConfigurationError

_LARGEST, _DEEPEST = 100_000, 50


@dataclass(slots=True, eq=False)
class Scalar:
    """A scalar as it is written; a `plain` one has neither quotes nor a tag. Lines and columns count from 1."""

    line: int
    column: int
    value: str
    plain: bool
    tag: str | None
    size: int = 1
    height: int = 0


@dataclass(slots=True, eq=False)
class Sequence:
    """A list; `size` counts what stands in it, aliases followed, and `height` how deep that goes."""

    line: int
    column: int
    tag: str | None
    items: list[Node] = field(default_factory=list)
    size: int = 1
    height: int = 0
    closed: bool = False


@dataclass(slots=True, eq=False)
class Mapping:
    """A mapping with its keys in the order of the file, duplicates included; else as Sequence."""

    line: int
    column: int
    tag: str | None
    pairs: list[tuple[Node, Node]] = field(default_factory=list)
    key: Node | None = None
    size: int = 1
    height: int = 0
    closed: bool = False


Node = Scalar | Sequence | Mapping


def compose(text: bytes, file: str) -> Node | None:
    """The root of the one document in `text`, None where that is empty; `file` is its name in messages.

    Raises ConfigurationError for what is no YAML, holds several documents, or stands for too much.
    """
    try:
        return _composed(YAML(typ="safe", pure=False).parse(text), file)
    except MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"{file}:{mark.line + 1}:{mark.column + 1}" if mark else file
        raise ConfigurationError(
            f"{where}: {error.problem or error.context}", remedy="correct the YAML there"
        ) from error
    except (YAMLError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file}: is not YAML: {error}", remedy="save it as UTF-8 text") from error


def _composed(events: Iterator[Any], file: str) -> Node | None:
    composer = _Composer(file)
    takers = {
        ScalarEvent: composer.scalar,
        MappingStartEvent: composer.mapping,
        SequenceStartEvent: composer.sequence,
        MappingEndEvent: composer.end,
        SequenceEndEvent: composer.end,
        AliasEvent: composer.alias,
        DocumentStartEvent: composer.document,
    }
    for event in events:
        if taker := takers.get(type(event)):
            taker(event)
    return composer.root


class _Composer:
    """The nodes that are open, innermost last, and those that have a name."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.root: Node | None = None
        self.open: list[Sequence | Mapping] = []
        self.named: dict[str, Node] = {}
        self.read = 0
        self.documents = 0

    def document(self, event: Any) -> None:
        self.documents += 1
        if self.documents > 1:
            raise _incorrect(self.file, event, "but found another document", "keep one document a file")

    def scalar(self, event: Any) -> None:
        mark, plain = event.start_mark, event.implicit[0]
        # Quoted without a tag it is a string, which the tag `!` says too.
        tag = event.tag if event.tag or plain else "!"
        node = Scalar(mark.line + 1, mark.column + 1, event.value, plain and not event.tag, tag)
        if event.anchor:
            self.named[event.anchor] = node
        self.add(node)

    def mapping(self, event: Any) -> None:
        self.begin(event, Mapping(event.start_mark.line + 1, event.start_mark.column + 1, event.tag))

    def sequence(self, event: Any) -> None:
        self.begin(event, Sequence(event.start_mark.line + 1, event.start_mark.column + 1, event.tag))

    def begin(self, event: Any, node: Sequence | Mapping) -> None:
        if event.anchor:
            self.named[event.anchor] = node
        if len(self.open) > _DEEPEST:
            raise self.too_much(node)
        self.open.append(node)

    def end(self, _event: Any) -> None:
        node = self.open.pop()
        node.closed = True
        self.add(node)

    def alias(self, event: Any) -> None:
        node = self.named.get(event.anchor)
        if node is None:
            raise _incorrect(self.file, event, f"found undefined alias {event.anchor!r}", "name it with & before")
        if not isinstance(node, Scalar) and not node.closed:
            raise self.too_much(node)  # it stands in itself
        self.add(node)

    def add(self, node: Node) -> None:
        self.read += 1
        if not self.open:
            self.root = node
            return
        inner = self.open[-1]
        inner.size += node.size
        inner.height = max(inner.height, node.height + 1)
        if self.read > _LARGEST or inner.size > _LARGEST or len(self.open) + node.height > _DEEPEST:
            raise self.too_much(node)
        _put(inner, node)

    def too_much(self, node: Node) -> ConfigurationError:
        message = f"{self.file}:{node.line}:{node.column}: stands for too much"
        return ConfigurationError(message, remedy="write it without aliases")


def _put(inner: Sequence | Mapping, node: Node) -> None:
    if isinstance(inner, Sequence):
        inner.items.append(node)
    elif inner.key is None:
        inner.key = node
    else:
        inner.pairs.append((inner.key, node))
        inner.key = None


def _incorrect(file: str, event: Any, message: str, remedy: str) -> ConfigurationError:
    place = f"{file}:{event.start_mark.line + 1}:{event.start_mark.column + 1}"
    return ConfigurationError(f"{place}: {message}", remedy=remedy)
