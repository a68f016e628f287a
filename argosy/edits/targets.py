"""Where a path leads in a YAML file: to a scalar that can be changed alone, or to a mapping that lacks the key."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn

from argosy.edits.paths import Index, Key, Named, Step, parse
from argosy.edits.scalars import is_bare
from argosy.errors import Terminal
from argosy.yaml_files.stream import Kind, Node, Stream

_ANCHORED = "write the value out in full there: what an anchor, alias or merge holds would change elsewhere too"
COLON = re.compile(r"\s*:")
"""What stands between a key and its value, the blanks behind it left out."""
_PROPERTIES = re.compile(r"(?:[&!]\S*\s*)*")


@dataclass(frozen=True, slots=True)
class Target:
    """A scalar that can be changed alone: the characters `start` to `end` hold its value, tag and anchor not.

    `in_flow` says that it lies between brackets or braces.
    """

    path: str
    node: Node
    start: int
    end: int
    in_flow: bool

    @property
    def value(self) -> str:
        """What it holds, as written but for quotes; "" where it is null."""
        return "" if self.node.blank else self.node.value

    def holds(self, value: str) -> bool:
        """Whether it reads as this very string, to Helm too: a bare 1.10 or yes does not."""
        return self.node.value == value and (bool(self.node.style) or is_bare(value, in_flow=self.in_flow))


@dataclass(frozen=True, slots=True)
class Missing:
    """A path that ends early: `container` is the mapping or list, or what stands in its place, that lacks `rest`.

    `key` is what the container is the value of, None where it is a whole document or an element; `in_flow` says that
    it lies between brackets or braces.
    """

    path: str
    container: Node
    key: Node | None
    rest: tuple[Step, ...]
    in_flow: bool


def find(stream: Stream, path: str, document: int | None = None) -> Target | Missing:
    """Where `path` leads in the document of that number, counted from 1; without one, in the only one that has it.

    Raises Terminal, with file, line and remedy, where what it leads to cannot be changed alone, and where several
    documents have it; WrongUse for what is no path.
    """
    steps = parse(path)
    finder = _Finder(stream, path)
    return finder.find(_root(finder, steps, document), steps)


def _root(finder: _Finder, steps: tuple[Step, ...], document: int | None) -> Node:
    stream = finder.stream
    roots = stream.documents
    if not roots:
        raise Terminal(f"{stream.file} holds no document", remedy="give it the lines that are to be changed")
    if document is not None:
        if not 1 <= document <= len(roots):
            raise Terminal(f"{stream.file} has no document {document}", remedy=f"it has {len(roots)}, counted from 1")
        return roots[document - 1]
    if len(roots) == 1:
        return roots[0]
    having = [number for number, root in enumerate(roots, 1) if finder.has(root, steps)]
    if len(having) == 1:
        return roots[having[0] - 1]
    where = f"in the documents {', '.join(map(str, having))}" if having else f"in none of the {len(roots)} documents"
    raise Terminal(f"{stream.file}: {finder.path} is {where}", remedy="say which document, by its number from 1")


@dataclass(frozen=True, slots=True)
class _Finder:
    stream: Stream
    path: str

    def has(self, root: Node, steps: tuple[Step, ...]) -> bool:
        """Whether the whole path is there, changeable or not."""
        node: Node | None = root
        for step in steps:
            node = next((value for _, value in _matches(_followed(node), step)), None) if node else None
        return node is not None

    def find(self, root: Node, steps: tuple[Step, ...]) -> Target | Missing:
        key, node, in_flow = None, root, False
        for number, step in enumerate(steps):
            self.check_alone(node)
            found = list(_matches(node, step))
            if isinstance(step, Named) and len(found) > 1:
                self.refuse(found[1][1].start, "has several such elements", "name one by its index, as in list[0]")
            if node.kind is Kind.MAPPING:
                self.check_merges(node, str(step), found[0][0] if found else None)
            if not found:
                return Missing(self.path, node, key, steps[number:], in_flow)
            in_flow = node.flow
            key, node = found[0]
        return self.target(key, node, in_flow=in_flow)

    def target(self, key: Node | None, node: Node, *, in_flow: bool) -> Target:
        self.check_alone(node)
        text, start, end = self.stream.text, node.start, node.end
        if node.kind is not Kind.SCALAR:
            self.refuse(start, "is no scalar", "name a path that ends at a plain value")
        if node.style in {"|", ">"} or "\n" in text[start:end].replace("\r", "\n"):
            self.refuse(start, "spans several lines", "write it on one line, after its key")
        if node.tag:
            self.refuse(start, "has an explicit tag", "leave the tag out and put the value in quotes")
        if start == end:
            start = end = self.after_colon(key)
        if node.anchor:
            match = _PROPERTIES.match(text, start, end)
            start = match.end() if match else start
        return Target(self.path, node, start, end, in_flow)

    def after_colon(self, key: Node | None) -> int:
        # Where a parser marks a value that is not there differs; where its colon is does not.
        colon = COLON.match(self.stream.text, key.end) if key else None
        if colon is None:
            self.refuse(key.end if key else 0, "has no value and no colon", 'write `""` as its value')
        return colon.end()

    def check_alone(self, node: Node) -> None:
        """Refuse what stands for, or is stood for by, something elsewhere in the file."""
        if node.kind is Kind.ALIAS or node.aliased:
            self.refuse(node.start, "goes through an anchor or alias", _ANCHORED)

    def check_merges(self, mapping: Node, name: str, own: Node | None) -> None:
        """Refuse a key that a `<<` provides, or may override: to YAML libraries of Go the last one wins."""
        for key, value in mapping.pairs:
            if key.merges and (own is None or key.start > own.start) and _provides(value, name):
                self.refuse(key.start, "lies in a mapping with a `<<` merge", _ANCHORED)

    def refuse(self, index: int, what: str, remedy: str) -> NoReturn:
        raise Terminal(f"{self.stream.file}:{self.stream.line(index)}: {self.path} {what}", remedy=remedy)


def _followed(node: Node) -> Node:
    return node.target if node.target else node


def _matches(node: Node, step: Step) -> Iterator[tuple[Node | None, Node]]:
    """The nodes that a step leads to, the one that counts first; of duplicate keys that is the last, as in Helm."""
    if node.kind is Kind.MAPPING and isinstance(step, Key):
        for key, value in reversed(list(node.pairs)):
            if key.kind is Kind.SCALAR and key.value == step.name:
                yield key, value
    elif node.kind is Kind.SEQUENCE:
        yield from ((None, item) for item in _elements(node, step))


def _elements(node: Node, step: Step) -> Iterator[Node]:
    if isinstance(step, Named):
        yield from (item for item in node.children if _reads(_followed(item), step))
    elif isinstance(step, Index) or step.name.isdecimal():
        number = step.number if isinstance(step, Index) else int(step.name)
        yield from node.children[number : number + 1]


def _reads(item: Node, step: Named) -> bool:
    found = next((value for _, value in _matches(item, Key(step.key))), None)
    return found is not None and _followed(found).kind is Kind.SCALAR and _followed(found).value == step.value


def _provides(merged: Node, name: str) -> bool:
    """Whether what stands behind a `<<` has the key `name`."""
    waiting, seen = [merged], set[int]()
    while waiting:
        node = _followed(waiting.pop())
        if node.first in seen:
            continue
        seen.add(node.first)
        if node.kind is Kind.SEQUENCE:
            waiting += node.children
        elif node.kind is Kind.MAPPING:
            if any(key.value == name for key, _ in node.pairs):
                return True
            waiting += [value for key, value in node.pairs if key.merges]
    return False
