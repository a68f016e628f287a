"""What a chart renders to: whether it runs an image, read as YAML, so that no comment and no longer tag will do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from ruamel.yaml.events import AliasEvent, MappingStartEvent, ScalarEvent

from argosy.models import ImageKeys
from argosy.yaml_files.events import BEGINNINGS, ENDS, parse

_DOCUMENT = re.compile(r"^---(?=\s|$)", re.MULTILINE)
_WORD = r"[\w./:@-]"
"""What an image's name, tag and digest are made of: with one of these beside it, it is another image."""


@dataclass(frozen=True, slots=True)
class Image:
    """An image as templates may write it: one of `whole`, or all `parts` as values of one mapping (none: not so).

    `repository` is what every one of them has.
    """

    repository: str
    whole: tuple[str, ...]
    parts: frozenset[str]

    @classmethod
    def written(cls, keys: ImageKeys, values: Mapping[str, str]) -> Image:
        """The image that the `values` say which `references.values` made for `keys`.

        With a digest the tag may be missing, as `name@digest` names the very same; the digest may not.
        """
        if keys.image:
            whole = values[keys.image]
            return cls(whole.partition("@")[0].rpartition(":")[0], (whole,), frozenset())
        repository, tag = values[keys.repository], values[keys.tag]
        if not keys.digest:
            return cls(repository, (f"{repository}:{tag}",), frozenset({repository, tag}))
        digest = values[keys.digest]
        whole_names = (f"{repository}:{tag}@{digest}", f"{repository}@{digest}")
        return cls(repository, whole_names, frozenset({repository, digest}))


def runs(text: str, image: Image, chart: str) -> bool:
    """Whether the documents in `text` have the image as a value, or between other words of one.

    `chart` is what they are called in messages. Raises Terminal where what names the repository is no YAML.
    """
    names = "|".join(map(re.escape, image.whole))
    whole = re.compile(rf"(?<!{_WORD})(?:{names})(?!{_WORD})")
    # The others are not parsed: a chart may bring megabytes of definitions.
    documents = (each for each in _DOCUMENT.split(text) if image.repository in each)
    return any(_has(values, whole, image.parts) for each in documents for values in _values(each, chart))


def _has(values: Iterable[str], whole: re.Pattern[str], parts: frozenset[str]) -> bool:
    found = set(values)
    if parts and parts <= found:
        return True
    lines = (line for value in found for line in value.splitlines())
    return any(whole.search(line) for line in lines if not line.lstrip().startswith("#"))


@dataclass(slots=True)
class _Collection:
    """A mapping or list that has begun: how many nodes it has so far, and the scalars among its values."""

    mapping: bool
    nodes: int = 0
    values: list[str] = field(default_factory=list)

    def add(self, scalar: str | None) -> None:
        """Count a node, which is a key and no value where it is every second one of a mapping, the first included."""
        self.nodes += 1
        if scalar is not None and not (self.mapping and self.nodes % 2):
            self.values.append(scalar)


def _values(text: str, chart: str) -> Iterator[list[str]]:
    """The scalars that each mapping and list has for values, and a document by itself."""
    root = _Collection(mapping=False)
    begun = [root]
    for event in parse(text, chart):
        kind = type(event)
        if kind in ENDS:
            yield begun.pop().values
        elif kind in BEGINNINGS:
            begun[-1].add(None)
            begun.append(_Collection(kind is MappingStartEvent))
        elif kind in {ScalarEvent, AliasEvent}:
            begun[-1].add(getattr(event, "value", None))
    yield root.values
