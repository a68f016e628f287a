"""A YAML file as nodes that know which characters hold them, read from the events of the parser written in C."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.cyaml import CParser  # type: ignore[attr-defined] # it is there, and says nothing of its types
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
from ruamel.yaml.reader import ReaderError

from argosy.errors import Terminal
from argosy.yaml_outlines import Outline, outlines
from argosy.yaml_text import DEEPEST, VALID, line_of, malformed

# What the parser written in C says of `{image: host:5000/name}`, which YAML 1.2 and the slow parser understand.
_OF_OLD = "found unexpected ':'"
_DEEPER = {MappingStartEvent: 1, SequenceStartEvent: 1, MappingEndEvent: -1, SequenceEndEvent: -1}
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})


class Kind(Enum):
    """What a node is."""

    SCALAR = "scalar"
    SEQUENCE = "sequence"
    MAPPING = "mapping"
    ALIAS = "alias"


@dataclass(slots=True, eq=False)
class Node:
    """A node: the characters `start` to `end` hold it with its tag and anchor, the events `first` to `last` say it.

    `children` are the items of a sequence, the keys and values in turn of a mapping. An alias has a `target`;
    `aliased` says that a node is some alias's target.
    """

    kind: Kind
    start: int
    end: int
    first: int
    last: int
    value: str = ""
    style: str = ""
    tag: str | None = None
    anchor: str | None = None
    flow: bool = False
    children: list[Node] = field(default_factory=list)
    target: Node | None = None
    aliased: bool = False

    @property
    def blank(self) -> bool:
        """Whether it is null, written out or not."""
        return self.kind is Kind.SCALAR and not self.style and not self.tag and self.value in _NULLS

    @property
    def pairs(self) -> Iterator[tuple[Node, Node]]:
        """The keys of a mapping with their values, in the order of the file, duplicates included."""
        return zip(self.children[::2], self.children[1::2], strict=True)

    @property
    def merges(self) -> bool:
        """Whether it is the key below which other mappings are merged."""
        return self.kind is Kind.SCALAR and not self.style and not self.tag and self.value == "<<"


@dataclass(frozen=True, slots=True)
class Stream:
    """The root nodes of a file's documents; `events` are those of the parser."""

    text: str
    file: str
    events: Sequence[Any]
    documents: tuple[Node, ...]

    @classmethod
    def read(cls, text: str, file: str) -> Stream:
        """Read `text`; `file` is its name in messages.

        Raises Terminal with file, line and column for malformed YAML, and for what is nested too deep.
        """
        events = parse(text, file)
        composer = _Composer(text, file)
        for number, event in enumerate(events):
            if taker := composer.takers.get(type(event)):
                taker(event, number)
        return cls(text, file, events, tuple(composer.roots))

    def outlines(self) -> list[Outline]:
        """What its events say: equal lists are equal documents."""
        return outlines(self.events)

    def line(self, index: int) -> int:
        """The line, from 1, of the character at `index`."""
        return line_of(self.text, index)


def parse(text: str, file: str) -> list[Any]:
    """The events of `text`; raises Terminal with file, line and column where it is no YAML, or is nested too deep."""
    try:
        return _bounded(_by_c(text), text, file)
    except ReaderError as error:
        raise malformed(file, text, error.position, error.reason) from error
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        refusal = malformed(file, text, mark.index if mark else 0, error.problem or str(error))
        if error.problem != _OF_OLD:
            raise refusal from error
    except YAMLError as error:
        raise Terminal(f"{file}: malformed YAML: {error}", remedy=VALID) from error
    try:
        return _bounded(YAML(typ="safe", pure=True).parse(text), text, file)
    except YAMLError as error:
        raise refusal from error


def _by_c(text: str) -> Iterator[Any]:
    parser = CParser(text)
    try:
        while (event := parser.get_event()) is not None:
            yield event
    finally:
        parser.dispose()


def _bounded(events: Iterator[Any], text: str, file: str) -> list[Any]:
    found: list[Any] = []
    depth = 0
    for event in events:
        found.append(event)
        depth += _DEEPER.get(type(event), 0)
        if depth > DEEPEST:
            line = line_of(text, event.start_mark.index)
            raise Terminal(f"{file}:{line}: nested more than {DEEPEST} deep", remedy="flatten it")
    return found


class _Composer:
    """The nodes that are open, innermost last, and those that have a name in this document."""

    def __init__(self, text: str, file: str) -> None:
        self.text, self.file = text, file
        self.roots: list[Node] = []
        self.open: list[Node] = []
        self.named: dict[str, Node] = {}
        self.takers = {
            ScalarEvent: self.scalar,
            MappingStartEvent: self.begin,
            SequenceStartEvent: self.begin,
            MappingEndEvent: self.end,
            SequenceEndEvent: self.end,
            AliasEvent: self.alias,
            DocumentStartEvent: self.document,
        }

    def document(self, _event: Any, _number: int) -> None:
        self.named = {}

    def scalar(self, event: Any, number: int) -> None:
        start, end = event.start_mark.index, event.end_mark.index
        node = Node(Kind.SCALAR, start, end, number, number, event.value, event.style or "", event.tag, event.anchor)
        if event.anchor:
            self.named[event.anchor] = node
        self.add(node)

    def begin(self, event: Any, number: int) -> None:
        kind = Kind.MAPPING if type(event) is MappingStartEvent else Kind.SEQUENCE
        start, end = event.start_mark.index, event.end_mark.index
        node = Node(kind, start, end, number, number, tag=event.tag, anchor=event.anchor, flow=event.flow_style)
        if event.anchor:
            self.named[event.anchor] = node
        self.add(node)
        self.open.append(node)

    def end(self, event: Any, number: int) -> None:
        node = self.open.pop()
        node.end, node.last = event.end_mark.index, number

    def alias(self, event: Any, number: int) -> None:
        target = self.named.get(event.anchor)
        if target is None:
            raise malformed(self.file, self.text, event.start_mark.index, f"found undefined alias {event.anchor!r}")
        target.aliased = True
        start, end = event.start_mark.index, event.end_mark.index
        self.add(Node(Kind.ALIAS, start, end, number, number, event.anchor, target=target))

    def add(self, node: Node) -> None:
        if self.open:
            self.open[-1].children.append(node)
        else:
            self.roots.append(node)
