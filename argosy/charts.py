"""Surgical edits of values files and Argo CD manifests: only the scalars that are meant change, byte by byte."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NoReturn

from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from argosy.errors import Terminal
from argosy.models import Change, ImageReference
from argosy.scalars import render
from argosy.yaml_text import compose, decode, line_of

_MISSING = "add `{key}:` to line {line}'s mapping by hand once; a release only changes lines that are there"
_ANCHORED = "write the value out in full there: what an anchor, alias or merge holds would change elsewhere too"
_KEY = re.compile(r"(?<!\\)\.")
_COLON = re.compile(r"\s*:")


@dataclass(frozen=True, slots=True)
class _Place:
    """A scalar of a file: the characters `start` to `end` hold it; `text` is the whole file, without its BOM."""

    file: str
    path: str
    text: str
    start: int
    end: int
    node: ScalarNode

    @property
    def blank(self) -> bool:
        return self.start == self.end or self.node.tag == "tag:yaml.org,2002:null"

    @property
    def value(self) -> str:
        return "" if self.blank else str(self.node.value)

    def holds(self, value: str) -> bool:
        """Whether it reads as this very string: a bare 1.10 reads as a number."""
        return bool(self.node.tag == "tag:yaml.org,2002:str") and self.node.value == value


def read_reference(text: bytes, file: str) -> ImageReference:
    """The `image.repository` and `image.tag` that a values file carries, as written; no tag is "".

    Raises Terminal, naming file and line, for a file without a repository or that `edit` could not edit.
    """
    _, decoded = decode(text, file)
    root = compose(decoded, file)
    repository = _find(root, "image.repository", decoded, file)
    if not isinstance(repository, _Place) or not repository.value:
        raise Terminal(
            f"{file} has no image.repository",
            remedy="give it `image: {repository: HOST/NAME, tag: }`, or name the right file in argosy.yaml",
        )
    tag = _find(root, "image.tag", decoded, file)
    return ImageReference(repository.value, tag.value if isinstance(tag, _Place) else "")


def edit(text: bytes, values: Mapping[str, str], file: str) -> tuple[bytes, tuple[Change, ...]]:
    r"""Set each dotted path of `values` to its string; returns the new bytes and what changed, in `values`' order.

    A number in a path is an index of a list; a dot within a key is written `\.`. The same bytes and no changes come
    back when all reads so already. Quotes, comments, line ends and every other character stay. Raises Terminal,
    naming file, line and remedy, for malformed YAML, a path that is not there, and a value that cannot be replaced
    alone (anchors, aliases, merges, block scalars, values over several lines, explicit tags).
    """
    mark, decoded = decode(text, file)
    root = compose(decoded, file)
    places = [_scalar(root, path, decoded, file) for path in values]
    wanted = [place for place in places if not place.holds(values[place.path])]
    if not wanted:
        return text, ()
    edited = _replace(decoded, wanted, values)
    _only_these_changed(root, compose(edited, file), wanted, values, file)
    changes = tuple(Change(file, place.path, place.value, values[place.path]) for place in wanted)
    return mark + edited.encode(), changes


def _replace(text: str, places: list[_Place], values: Mapping[str, str]) -> str:
    for place in sorted(places, key=lambda place: place.start, reverse=True):
        new = render(values[place.path], place.node.style)
        gap = " " if place.start == place.end else ""
        text = text[: place.start] + gap + new + text[place.end :]
    return text


def _scalar(root: Node, path: str, text: str, file: str) -> _Place:
    found = _find(root, path, text, file)
    if isinstance(found, _Place):
        return found
    key, line = found
    raise Terminal(f"{file}:{line}: {path} is not there", remedy=_MISSING.format(key=key, line=line))


def _find(root: Node, path: str, text: str, file: str) -> _Place | tuple[str, int]:
    """The scalar at `path`; or the first key that is missing and the line of the mapping that should have it."""
    node, after = root, 0
    for key in (part.replace(r"\.", ".") for part in _KEY.split(path)):
        _plain(node, after, path, text, file)
        step = _step(node, key)
        if step is None:
            return key, line_of(text, node.start_mark.index)
        after, node = step
    return _place(node, after, path, text, file)


def _step(node: Node, key: str) -> tuple[int, Node] | None:
    """Where the entry `key` of a mapping or list begins, and its value; of duplicate keys the last, as in Helm."""
    if isinstance(node, MappingNode):
        for name, value in reversed(node.value):
            if isinstance(name, ScalarNode) and name.value == key:
                return name.end_mark.index, value
    if isinstance(node, SequenceNode) and key.isdecimal() and int(key) < len(node.value):
        return node.start_mark.index, node.value[int(key)]
    return None


def _plain(node: Node, after: int, path: str, text: str, file: str) -> None:
    """Refuse what stands for, or is stood for by, something elsewhere in the file."""
    # An alias composes to the anchor's own node, which lies before the key that names it.
    start = node.start_mark.index
    if "&" in _properties(text, start):
        _refuse(file, text, max(start, after), f"{path} goes through an anchor or alias", _ANCHORED)
    if isinstance(node, MappingNode) and any(key.tag == "tag:yaml.org,2002:merge" for key, _ in node.value):
        _refuse(file, text, start, f"{path} lies in a mapping with a `<<` merge", _ANCHORED)


def _properties(text: str, start: int) -> str:
    """The tag and anchor that may stand before a value that begins at `start`."""
    match = re.compile(r"(?:[!&]\S*\s+)*(?:[!&]\S*)?").match(text, start)
    return match[0] if match else ""


def _place(node: Node, after: int, path: str, text: str, file: str) -> _Place:
    _plain(node, after, path, text, file)
    start, end = node.start_mark.index, node.end_mark.index
    if not isinstance(node, ScalarNode):
        _refuse(file, text, start, f"{path} is no scalar", "name a path that ends at a plain value")
    if node.style in ("|", ">") or "\n" in text[start:end].replace("\r", "\n"):
        _refuse(file, text, start, f"{path} spans several lines", "write it on one line, after its key")
    if text.startswith("!", start):
        _refuse(file, text, start, f"{path} has an explicit tag", "leave the tag out and put the value in quotes")
    if start == end:
        start = end = _after_colon(text, after, path, file)
    return _Place(file, path, text, start, end, node)


def _after_colon(text: str, after: int, path: str, file: str) -> int:
    # Where a parser marks a value that is not there differs; where its colon is does not.
    colon = _COLON.match(text, after)
    if colon is None:
        _refuse(file, text, after, f"{path} has no value and no colon", 'write `""` as its value')
    return colon.end()


def _refuse(file: str, text: str, index: int, what: str, remedy: str) -> NoReturn:
    raise Terminal(f"{file}:{line_of(text, index)}: {what}", remedy=remedy)


def _only_these_changed(before: Node, after: Node, places: list[_Place], values: Mapping[str, str], file: str) -> None:
    """Raise Terminal unless the trees differ at the nodes of `places` alone, which read as `values` now."""
    wanted: dict[int, tuple[object, object]] = {
        id(place.node): ("tag:yaml.org,2002:str", values[place.path]) for place in places
    }
    expected = [wanted.get(id(node), outline) for node, outline in _outlines(before)]
    if expected != [outline for _, outline in _outlines(after)]:
        raise Terminal(
            f"{file}: replacing {', '.join(place.path for place in places)} would change more than that",
            remedy="simplify the lines around it (one key a line), or make this one change by hand",
        )


def _outlines(node: Node, seen: dict[int, int] | None = None) -> Iterator[tuple[Node, tuple[object, object]]]:
    """Every node in the order of the file with its tag and its value, size or, where it comes again, its number."""
    seen = {} if seen is None else seen
    if id(node) in seen:
        yield node, ("again", seen[id(node)])
        return
    seen[id(node)] = len(seen)
    if isinstance(node, ScalarNode):
        yield node, (node.tag, node.value)
        return
    yield node, (node.tag, len(node.value))
    parts = [part for pair in node.value for part in pair] if isinstance(node, MappingNode) else node.value
    for part in parts:
        yield from _outlines(part, seen)
