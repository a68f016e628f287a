"""The events of a YAML file, from the parser written in C or, where that is too old, the slow one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.cyaml import CParser  # type: ignore[attr-defined] # it is there, and says nothing of its types
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import MappingEndEvent, MappingStartEvent, SequenceEndEvent, SequenceStartEvent
from ruamel.yaml.reader import ReaderError

from argosy.errors import Terminal
from argosy.yaml_files.text import DEEPEST, VALID, line_of, malformed

# What the parser written in C says of `{image: host:5000/name}`, which YAML 1.2 and the slow parser understand.
_OF_OLD = "found unexpected ':'"
BEGINNINGS = frozenset({MappingStartEvent, SequenceStartEvent})
"""The events that mappings and lists begin with."""
ENDS = frozenset({MappingEndEvent, SequenceEndEvent})
"""The events that they end with."""


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
    if sum(map(text.count, "[{-?")) < DEEPEST:  # nesting by indentation alone needs ever longer lines
        return list(events)
    found: list[Any] = []
    depth = 0
    for event in events:
        found.append(event)
        depth += (type(event) in BEGINNINGS) - (type(event) in ENDS)
        if depth > DEEPEST:
            line = line_of(text, event.start_mark.index)
            raise Terminal(f"{file}:{line}: nested more than {DEEPEST} deep", remedy="flatten it")
    return found
