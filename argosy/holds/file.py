"""Surgical edits of the file of holds: entries come and go, and whatever else stands in it stays as it is."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from argosy.edits.scalars import render
from argosy.errors import ConfigurationError, Terminal
from argosy.holds.holds import FILE, parse
from argosy.models import Hold
from argosy.yaml_files.text import compose, decode

_BEGUN = "# What Argosy does not release, and why: docs/operations.md.\nversion: 1\nholds:\n"
_FIELDS = ("service", "environment", "digest", "recipe", "commit", "hand", "reason", "who", "since", "until")
_OPTIONAL = frozenset({"digest", "commit", "hand", "until"})
_TIMES = frozenset({"since", "until"})
_COMMA = re.compile(r"(?:\s|#[^\n]*\n)*,")


def added(text: bytes | None, holds: Sequence[Hold]) -> bytes:
    """The file with `holds` behind those that stand in it; the same bytes where there is none to add.

    Raises ConfigurationError for a file that is wrong, Terminal for one whose shape leaves no place for them.
    """
    before = parse(text) if text else ()
    new = [replace(hold, written=True) for hold in holds]
    if not new:
        return text or b""
    mark, decoded = decode(text or b"", FILE)
    edited = mark + _appended(decoded, new).encode()
    return _proven(edited, (*before, *new))


def without(text: bytes, goes: Callable[[Hold], bool]) -> bytes:
    """The file without the entries of which `goes` says so; raises as `added` does."""
    before = parse(text)
    mark, decoded = decode(text, FILE)
    gone = [number for number, hold in enumerate(before) if goes(hold)]
    if not gone:
        return text
    for number in reversed(gone):
        decoded = _cut(decoded, number)
    return _proven(mark + decoded.encode(), tuple(hold for hold in before if not goes(hold)))


def missing(text: bytes | None, wanted: Sequence[Hold]) -> list[Hold]:
    """Those of `wanted` that the file does not have; one that differs in its time alone is the same."""
    standing = {_identity(hold) for hold in parse(text)} if text else set()
    return [hold for hold in wanted if _identity(hold) not in standing]


def _identity(hold: Hold) -> Hold | tuple[str, str, str]:
    if hold.hand:  # once on file, the file decides of it
        return hold.service, hold.environment, hold.hand
    return replace(hold, since=datetime.min, written=True)  # noqa: DTZ901 # it only stands for every time


def _proven(edited: bytes, wanted: tuple[Hold, ...]) -> bytes:
    """The edited file, which reads as it should; whatever shape the one before had, nothing else is written."""
    try:
        good = parse(edited) == wanted
    except ConfigurationError:
        good = False
    if not good:
        raise _unfit()
    return edited


def _unfit() -> Terminal:
    return Terminal(
        f"{FILE} cannot be edited as it is written",
        remedy="write it as `version: 1`, and below `holds:` a list with one entry a dash",
    )


def _appended(text: str, holds: Sequence[Hold]) -> str:
    end = "\r\n" if "\r\n" in text else "\n"
    if not _content(text):
        kept = text if not text or text.endswith("\n") else text + end
        return kept + (_BEGUN + _rows(holds, 2)).replace("\n", end)
    root = compose(text, FILE)
    if not isinstance(root, MappingNode):  # an empty list: it holds nothing, as an empty file does
        return _appended(text[: root.start_mark.index] + text[root.end_mark.index :], holds)
    key, listed = _listed(root)
    if key is None:
        return _closed(text, end) + ("holds:\n" + _rows(holds, 2)).replace("\n", end)
    if isinstance(listed, SequenceNode) and listed.value:
        return _behind(text, listed, holds, end)
    if isinstance(listed, SequenceNode):
        text = text[: listed.start_mark.index].rstrip(" ") + text[listed.end_mark.index :]
    return _inserted(text, key.end_mark.index, _rows(holds, 2), end)


def _content(text: str) -> bool:
    lines = (line.strip() for line in text.splitlines())
    return any(line and not line.startswith("#") and line != "---" for line in lines)


def _closed(text: str, end: str) -> str:
    return text if text.endswith("\n") else text + end


def _listed(root: MappingNode) -> tuple[ScalarNode | None, Node | None]:
    """The key `holds` of the file, and what stands under it."""
    pairs = ((key, value) for key, value in root.value if isinstance(key, ScalarNode) and key.value == "holds")
    found: tuple[ScalarNode | None, Node | None] = next(pairs, (None, None))
    return found


def _behind(text: str, listed: SequenceNode, holds: Sequence[Hold], end: str) -> str:
    last = _end(listed.value[-1])
    if listed.flow_style:
        return text[:last] + "".join(f", {_flow(hold)}" for hold in holds) + text[last:]
    indent = listed.start_mark.column
    return _inserted(text, last, _rows(holds, indent), end)


def _inserted(text: str, index: int, rows: str, end: str) -> str:
    """The text with `rows` behind the line that the character before `index` is in."""
    stop = text.find("\n", max(index - 1, 0))
    head, tail = (text, "") if stop < 0 else (text[: stop + 1], text[stop + 1 :])
    return _closed(head, end) + rows.replace("\n", end) + tail


def _end(node: Node) -> int:
    """Where what is written of `node` ends: the parser has a block end only where the next thing begins."""
    if not isinstance(node, MappingNode | SequenceNode) or node.flow_style or not node.value:
        return int(node.end_mark.index)
    last = node.value[-1]
    return _end(last[1] if isinstance(node, MappingNode) else last)


def _cut(text: str, number: int) -> str:
    """The text without the entry that has this number."""
    root = compose(text, FILE)
    key, listed = _listed(root) if isinstance(root, MappingNode) else (None, None)
    if key is None or not isinstance(listed, SequenceNode):
        raise _unfit()
    node = listed.value[number]
    if listed.flow_style:
        return _cut_flow(text, listed, number)
    dash = text.rfind("-", 0, node.start_mark.index)
    start = text.rfind("\n", 0, dash) + 1
    stop = text.find("\n", max(_end(node) - 1, 0))
    left = text[:start] + (text[stop + 1 :] if stop >= 0 else "")
    if len(listed.value) > 1:
        return left
    return left[: key.end_mark.index + 1] + " []" + left[key.end_mark.index + 1 :]


def _cut_flow(text: str, listed: SequenceNode, number: int) -> str:
    node = listed.value[number]
    start, stop = node.start_mark.index, node.end_mark.index
    if behind := _COMMA.match(text, stop):
        return text[:start] + text[stop : behind.end() - 1] + text[behind.end() :].removeprefix(" ")
    if number == 0:
        return text[:start] + text[stop:]
    before = _COMMA.match(text, listed.value[number - 1].end_mark.index)
    comma = before.end() - 1 if before else start
    return text[:comma] + text[comma + 1 : start].rstrip(" ") + text[stop:]


def _rows(holds: Sequence[Hold], indent: int) -> str:
    """The entries, a line each field, with their dashes `indent` columns in."""
    pad = " " * indent
    return "".join(
        f"{pad}{'- ' if number == 0 else '  '}{name}: {value}\n"
        for hold in holds
        for number, (name, value) in enumerate(_fields(hold))
    )


def _flow(hold: Hold) -> str:
    # The parser written in C takes no bare colon between braces, which every time has.
    pairs = ((name, f'"{value}"' if name in _TIMES else value) for name, value in _fields(hold))
    return "{" + ", ".join(f"{name}: {value}" for name, value in pairs) + "}"


def _fields(hold: Hold) -> list[tuple[str, str]]:
    """The fields of an entry that say something, as YAML."""
    values = [(name, getattr(hold, name)) for name in _FIELDS]
    said = [(name, value) for name, value in values if not (name in _OPTIONAL and value is None)]
    return [(name, _value(value)) for name, value in said if name != "recipe" or hold.digest]


def _value(value: str | datetime) -> str:
    return value.isoformat() if isinstance(value, datetime) else render(value, None, in_flow=True)
