"""A YAML file as nodes that know which characters hold them, read from the events of the parser written in C."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceStartEvent,
)

from argosy.yaml_files.events import BEGINNINGS, ENDS, parse
from argosy.yaml_files.outlines import Outline, outlines
from argosy.yaml_files.text import line_of, malformed

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})


class Kind(Enum):
    """What a node is."""

    SCALAR = "scalar"
    SEQUENCE = "sequence"
    MAPPING = "mapping"
    ALIAS = "alias"


_KINDS = {
    ScalarEvent: Kind.SCALAR,
    SequenceStartEvent: Kind.SEQUENCE,
    MappingStartEvent: Kind.MAPPING,
    AliasEvent: Kind.ALIAS,
}


@dataclass(frozen=True, slots=True)
class Node:
    """A node: what the events `first` to `last` of a file say."""

    tree: _Tree
    first: int

    @property
    def kind(self) -> Kind:
        """What it is."""
        return _KINDS[type(self.tree.events[self.first])]

    @property
    def last(self) -> int:
        """The event that ends it."""
        return self.tree.ends.get(self.first, self.first)

    @property
    def start(self) -> int:
        """The first character that holds it, its tag or its anchor."""
        return int(self.tree.events[self.first].start_mark.index)

    @property
    def end(self) -> int:
        """The character behind the last that holds it."""
        return int(self.tree.events[self.last].end_mark.index)

    @property
    def value(self) -> str:
        """What a scalar says; "" for every other node."""
        return str(getattr(self.tree.events[self.first], "value", ""))

    @property
    def style(self) -> str:
        """The quotes of a scalar, or the sign of a block scalar."""
        return getattr(self.tree.events[self.first], "style", "") or ""

    @property
    def tag(self) -> str | None:
        """The tag that is written there."""
        return getattr(self.tree.events[self.first], "tag", None)

    @property
    def anchor(self) -> str | None:
        """The name that it has, or that an alias refers to."""
        found: str | None = self.tree.events[self.first].anchor
        return found

    @property
    def flow(self) -> bool:
        """Whether it stands between brackets or braces of its own."""
        return bool(getattr(self.tree.events[self.first], "flow_style", False))

    @property
    def children(self) -> Sequence[Node]:
        """The items of a sequence, the keys and values in turn of a mapping."""
        return self.tree.children(self.first)

    @property
    def target(self) -> Node | None:
        """What an alias stands for."""
        found = self.tree.targets.get(self.first)
        return None if found is None else Node(self.tree, found)

    @property
    def aliased(self) -> bool:
        """Whether an alias stands for it."""
        return self.first in self.tree.aliased

    @property
    def blank(self) -> bool:
        """Whether it is null, written out or not."""
        return self.kind is Kind.SCALAR and not self.style and not self.tag and self.value in _NULLS

    @property
    def pairs(self) -> Iterator[tuple[Node, Node]]:
        """The keys of a mapping with their values, in the order of the file, duplicates included."""
        children = self.children
        return zip(children[::2], children[1::2], strict=True)

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
        tree = _Tree(events)
        try:
            roots = tree.scan()
        except _Undefined as error:
            index = events[error.event].start_mark.index
            raise malformed(file, text, index, f"found undefined alias {events[error.event].anchor!r}") from error
        return cls(text, file, events, tuple(Node(tree, root) for root in roots))

    def outlines(self) -> list[Outline]:
        """What its events say: equal lists are equal documents."""
        return outlines(self.events)

    def line(self, index: int) -> int:
        """The line, from 1, of the character at `index`."""
        return line_of(self.text, index)


class _Undefined(Exception):
    """An alias to what has no name; `event` is its event's number."""

    def __init__(self, event: int) -> None:
        super().__init__(event)
        self.event = event


@dataclass(slots=True, eq=False)
class _Tree:
    """Which event ends what another begins, and what aliases stand for; nodes are made of those asked for alone."""

    events: Sequence[Any]
    ends: dict[int, int] = field(default_factory=dict)
    targets: dict[int, int] = field(default_factory=dict)
    aliased: set[int] = field(default_factory=set)

    def scan(self) -> list[int]:
        """Find all that; returns the first events of the roots. Raises _Undefined."""
        roots: list[int] = []
        begun: list[int] = []
        named: dict[str, int] = {}
        for number, event in enumerate(self.events):
            kind = type(event)
            if kind in ENDS:
                self.ends[begun.pop()] = number
            elif kind is DocumentStartEvent:
                roots.append(number + 1)
                named = {}
            elif kind in _KINDS:
                if kind in BEGINNINGS:
                    begun.append(number)
                if kind is AliasEvent:
                    self._refer(number, named.get(event.anchor))
                elif event.anchor:
                    named[event.anchor] = number
        return roots

    def children(self, first: int) -> list[Node]:
        """The nodes directly in the one that begins at `first`."""
        found: list[Node] = []
        number, last = first + 1, self.ends.get(first, first)
        while number < last:
            found.append(Node(self, number))
            number = self.ends.get(number, number) + 1
        return found

    def _refer(self, alias: int, target: int | None) -> None:
        if target is None:
            raise _Undefined(alias)
        self.targets[alias] = target
        self.aliased.add(target)
