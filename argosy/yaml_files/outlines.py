"""What the events of a YAML file say, to see what an edit changed: equal lists are equal documents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceStartEvent,
)

Outline = tuple[object, ...]
"""All that one event says, but for where it stands and how it is laid out."""


def outlines(events: Sequence[Any]) -> list[Outline]:
    """What each of `events` says."""
    return [_OUTLINES.get(type(event), _plain_outline)(event) for event in events]


def scalar_outline(value: str, *, plain: bool, anchor: str | None = None) -> Outline:
    """What the event of a scalar without a tag says."""
    return (ScalarEvent, anchor, None, plain, value)


MAPPING_OUTLINES: tuple[Outline, Outline] = ((MappingStartEvent, None, None), (MappingEndEvent,))
"""What the events of a mapping without tag and anchor say, before and after its content."""


def _plain_outline(event: Any) -> Outline:
    return (type(event),)


def _scalar(event: Any) -> Outline:
    return (ScalarEvent, event.anchor, event.tag, event.implicit[0], event.value)


def _collection(event: Any) -> Outline:
    return (type(event), event.anchor, event.tag)


def _alias(event: Any) -> Outline:
    return (AliasEvent, event.anchor)


def _document(event: Any) -> Outline:
    return (DocumentStartEvent, event.version, str(event.tags))


_OUTLINES = {
    ScalarEvent: _scalar,
    MappingStartEvent: _collection,
    SequenceStartEvent: _collection,
    AliasEvent: _alias,
    DocumentStartEvent: _document,
}
