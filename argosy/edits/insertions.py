"""How a key that is missing is written into a YAML file: beside its siblings, in their style."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from argosy.edits.paths import Key
from argosy.edits.scalars import is_bare, render
from argosy.edits.targets import COLON, Missing
from argosy.errors import Terminal
from argosy.yaml_files.outlines import MAPPING_OUTLINES, Outline, scalar_outline
from argosy.yaml_files.stream import Kind, Node, Stream

_BREAK = re.compile(r"\r\n|\n|\r")
_REST = re.compile(r"[^\r\n]*")
_OPENING = re.compile(r" *(?:- +)*")
_INDENTATION = 2


@dataclass(frozen=True, slots=True)
class Insertion:
    """New characters in place of those from `start` to `end`, and what the file's events say then."""

    start: int
    end: int
    characters: str
    outlines: list[Outline]

    def into(self, text: str) -> str:
        """The text with the new characters."""
        return text[: self.start] + self.characters + text[self.end :]


def insertion(stream: Stream, missing: Missing, value: str) -> Insertion:
    """How the path of `missing` comes to hold `value`.

    Raises Terminal, with file, line and remedy, where the path needs an element of a list, or lies in what has no
    place for a key.
    """
    node, key = missing.container, missing.key
    names = [step.name for step in missing.rest if isinstance(step, Key) and not step.name.isdecimal()]
    if node.kind is Kind.SEQUENCE or len(names) < len(missing.rest):
        what = f"has no element {missing.rest[0]}" if node.kind is Kind.SEQUENCE else "needs a list that is not there"
        raise _refusal(stream, missing, what, "write the element by hand once: an edit adds keys alone")
    if node.kind is Kind.MAPPING:
        new = _New.of(node, names, value, in_flow=node.flow)
        return _between_braces(stream, node, new) if node.flow else _below(stream, node, new)
    if not node.blank:
        raise _refusal(stream, missing, f"is not there: what should have {names[0]} is no mapping", "name another path")
    colon = COLON.match(stream.text, key.end) if key and not node.anchor else None
    if key is None or colon is None:
        raise _refusal(stream, missing, "lies in an empty value", "write `{}` there, so that it is a mapping")
    in_flow = missing.in_flow or not _OPENING.fullmatch(stream.text, _line_start(stream.text, key.start), key.start)
    new = _New.of(node, names, value, in_flow=in_flow)
    return _instead_of_null(stream, node, (key, colon.end()), new, in_flow=in_flow)


@dataclass(frozen=True, slots=True)
class _New:
    """Keys in each other and the value of the innermost, each as it is written, and what the events of all say."""

    keys: Sequence[str]
    value: str
    outlines: list[Outline]

    @classmethod
    def of(cls, node: Node, names: Sequence[str], value: str, *, in_flow: bool) -> _New:
        """In the quotes of the last of `node`'s keys, and of the nearest of its values that is a string."""
        key_style = node.children[-2].style if node.children else ""
        keys = [render(name, key_style, in_flow=in_flow) for name in names]
        written = render(value, _style(node, in_flow=in_flow), in_flow=in_flow)
        pairs = [_outline(name, key) for name, key in zip(names, keys, strict=True)]
        outlines = [pairs.pop(), _outline(value, written)]
        for outline in reversed(pairs):
            outlines = [outline, *_mapping(outlines)]
        return cls(keys, written, outlines)

    def between_braces(self, colon: str = ": ") -> str:
        """As one pair of a flow mapping."""
        written = self.value
        for key in reversed(self.keys[1:]):
            written = f"{{{key}{colon}{written}}}"
        return f"{self.keys[0]}{colon}{written}"

    def lines(self, column: int, deeper: int, line_break: str) -> str:
        """As lines of a block mapping, the first indented by `column`."""
        lines = [f"{' ' * (column + deeper * depth)}{key}:" for depth, key in enumerate(self.keys)]
        return f"{line_break.join(lines)} {self.value}"


def _between_braces(stream: Stream, node: Node, new: _New) -> Insertion:
    """Behind the last pair between braces, on a line of its own where that one is."""
    text = stream.text
    if not node.children:
        at = text.index("{", node.start, node.end) + 1
        return _beside(stream, node, at, new.between_braces(), new)
    key, last = node.children[-2:]
    written = last.end > last.start
    colon = COLON.match(text, key.end)
    at = last.end if written else colon.end() if colon else key.end
    gap, margin = text[key.end : last.start], text[_line_start(text, key.start) : key.start]
    alone = not margin.strip() and node.start < key.start - len(margin)
    comma = f",{_line_break(text, at)}{margin}" if alone else ", "
    pair = new.between_braces(gap if written and key.style and gap.strip() == ":" and gap.isprintable() else ": ")
    # Right behind a colon some would read a comma as part of the value.
    return _beside(stream, node, at, comma + pair if written else f" {comma}{pair}", new)


def _below(stream: Stream, node: Node, new: _New) -> Insertion:
    """On a line of its own below the last pair."""
    text = stream.text
    key, last = node.children[-2:]
    at, begun = _end(text, key, last)
    line_break = _line_break(text, key.start)
    lines = new.lines(_column(text, key), _indentation(stream), line_break)
    return _beside(stream, node, at, lines + line_break if begun else line_break + lines, new)


def _beside(stream: Stream, node: Node, at: int, characters: str, new: _New) -> Insertion:
    outlines = stream.outlines()
    outlines[node.last : node.last] = new.outlines
    return Insertion(at, at, characters, outlines)


def _instead_of_null(stream: Stream, node: Node, behind: tuple[Node, int], new: _New, *, in_flow: bool) -> Insertion:
    """As a mapping in the place of the null behind a key, whose colon ends where `behind` says."""
    text, (key, start) = stream.text, behind
    end = start if node.start == node.end else node.end
    outlines = stream.outlines()
    outlines[node.first : node.last + 1] = _mapping(new.outlines)
    if in_flow:
        return Insertion(start, end, f" {{{new.between_braces()}}}", outlines)
    deeper, line_break = _indentation(stream), _line_break(text, key.start)
    stop = _line_end(text, end)
    lines = new.lines(_column(text, key) + deeper, deeper, line_break)
    return Insertion(start, stop, text[end:stop] + line_break + lines, outlines)


def _style(node: Node, *, in_flow: bool) -> str:
    for value in reversed(node.children[1::2]):
        scalar = value.kind is Kind.SCALAR and not value.tag
        if scalar and (value.style in {"'", '"'} or (not value.style and is_bare(value.value, in_flow=in_flow))):
            return value.style
    return ""


def _indentation(stream: Stream) -> int:
    """How far the file indents, as its first mapping in a mapping does."""
    for root in stream.documents:
        for key, value in root.pairs if root.kind is Kind.MAPPING and not root.flow else ():
            if value.kind is Kind.MAPPING and not value.flow:
                return _column(stream.text, value.children[0]) - _column(stream.text, key)
    return _INDENTATION


def _end(text: str, key: Node | None, last: Node) -> tuple[int, bool]:
    """Where what stands last in a block mapping ends, and whether that is the beginning of a line."""
    while last.kind in {Kind.MAPPING, Kind.SEQUENCE} and not last.flow:
        key, last = (last.children[-2] if last.kind is Kind.MAPPING else None), last.children[-1]
    if last.style not in {"|", ">"}:
        # Where a parser marks a value that is not there differs.
        colon = COLON.match(text, key.end) if key and last.start == last.end else None
        return _line_end(text, colon.end() if colon else last.end), False
    content = text[last.start : last.end]
    if "+" in content[: _line_end(content, 0)]:  # it keeps the blank lines behind it
        return last.end, content[-1:] in {"\n", "\r"}
    return last.start + len(content.rstrip()), False


def _line_break(text: str, index: int) -> str:
    """How the line ends that has the character at `index`, or else the first."""
    found = _BREAK.search(text, index) or _BREAK.search(text)
    return found[0] if found else "\n"


def _line_end(text: str, index: int) -> int:
    found = _REST.match(text, index)
    return found.end() if found else index


def _line_start(text: str, index: int) -> int:
    return max(text.rfind("\n", 0, index), text.rfind("\r", 0, index)) + 1


def _column(text: str, node: Node) -> int:
    return node.start - _line_start(text, node.start)


def _mapping(content: list[Outline]) -> list[Outline]:
    return [MAPPING_OUTLINES[0], *content, MAPPING_OUTLINES[1]]


def _outline(value: str, written: str) -> Outline:
    return scalar_outline(value, plain=written[:1] not in {"'", '"'})


def _refusal(stream: Stream, missing: Missing, what: str, remedy: str) -> Terminal:
    line = stream.line(missing.container.start)
    return Terminal(f"{stream.file}:{line}: {missing.path} {what}", remedy=remedy)
