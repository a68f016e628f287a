"""Surgical edits of YAML files: only the scalars that are meant change, byte by byte, and keys that are missing."""

from __future__ import annotations

from collections.abc import Mapping

from argosy.edits.insertions import insertion
from argosy.edits.scalars import render
from argosy.edits.targets import Missing, Target, find
from argosy.errors import Terminal
from argosy.models import Change
from argosy.yaml_files.outlines import Outline, scalar_outline
from argosy.yaml_files.stream import Stream
from argosy.yaml_files.text import decode

_MISSING = "add `{key}` to what begins in line {line} (argosy edit --create adds keys), or name another path"
_CLOSELY_WOVEN = "simplify the lines around it (one key a line), or make this one change by hand"


def edit(
    text: bytes, values: Mapping[str, str], file: str, *, create: bool = False, document: int | None = None
) -> tuple[bytes, tuple[Change, ...]]:
    r"""Set each path of `values` to its string; returns the new bytes and what changed, in `values`' order.

    A path is one of `argosy.edits.paths`: in the document of that number, from 1; without one, in the only one that
    has it. A key that is not there is added beside its siblings with `create`. The same bytes and no changes come back
    when all reads so already. Quotes, comments, line ends and every other character stay. Raises WrongUse for what is
    no path; Terminal, naming file, line and remedy, for malformed YAML, a path that is not there, and a value that
    cannot be replaced alone (anchors, aliases, merges, block scalars, values over several lines, explicit tags).
    """
    mark, decoded = decode(text, file)
    stream = Stream.read(decoded, file)
    found = {path: find(stream, path, document) for path in values}
    _apart(stream, found)
    if not create:
        _all_there(stream, found)
    there = [place for place in found.values() if isinstance(place, Target)]
    wanted = [target for target in there if not target.holds(values[target.path])]
    missing = [path for path, place in found.items() if isinstance(place, Missing)]
    if wanted:
        stream = _replaced(stream, wanted, values)
    for path in missing:
        stream = _added(stream, path, values[path], document)
    if not wanted and not missing:
        return text, ()
    changes = {target.path: target.value for target in wanted} | dict.fromkeys(missing, "")
    told = tuple(Change(file, path, changes[path], values[path]) for path in values if path in changes)
    return mark + stream.text.encode(), told


def _apart(stream: Stream, found: Mapping[str, Target | Missing]) -> None:
    seen: dict[int, str] = {}
    for path, place in found.items():
        if isinstance(place, Target) and (other := seen.setdefault(place.start, path)) != path:
            raise Terminal(f"{stream.file}: {other} and {path} are the same", remedy="leave one of the two out")


def _all_there(stream: Stream, found: Mapping[str, Target | Missing]) -> None:
    for place in found.values():
        if isinstance(place, Missing):
            line = stream.line(place.container.start)
            remedy = _MISSING.format(key=place.rest[0], line=line)
            raise Terminal(f"{stream.file}:{line}: {place.path} is not there", remedy=remedy)


def _replaced(stream: Stream, wanted: list[Target], values: Mapping[str, str]) -> Stream:
    """The file with each of `wanted` replaced, which is all that differs. Raises Terminal where it is not."""
    text, expected = stream.text, stream.outlines()
    for target in sorted(wanted, key=lambda target: target.start, reverse=True):
        value = values[target.path]
        new = render(value, target.node.style, in_flow=target.in_flow)
        expected[target.node.first] = scalar_outline(value, plain=new[:1] not in {"'", '"'}, anchor=target.node.anchor)
        gap = " " if target.start == target.end else ""
        text = text[: target.start] + gap + new + text[target.end :]
    return _changed(text, stream.file, expected, ", ".join(target.path for target in wanted))


def _added(stream: Stream, path: str, value: str, document: int | None) -> Stream:
    """The file with `path` added, which is all that differs. Raises Terminal where it is not, or has no place."""
    place = find(stream, path, document)  # one that was added before may have made the mapping that it belongs to
    if isinstance(place, Target):
        raise Terminal(f"{stream.file}: {path} is asked for twice", remedy="leave one of the two out")
    new = insertion(stream, place, value)
    return _changed(new.into(stream.text), stream.file, new.outlines, path)


def _changed(text: str, file: str, expected: list[Outline], what: str) -> Stream:
    """The file that `text` is, parsed anew. Raises Terminal unless it says what is expected, and nothing else."""
    try:
        found = Stream.read(text, file)
    except Terminal:
        found = None
    if found is None or found.outlines() != expected:
        raise Terminal(f"{file}: setting {what} would change more than that", remedy=_CLOSELY_WOVEN)
    return found
