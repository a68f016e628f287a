"""What the values of several services have in common, as one template and the few that differ from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Factored:
    """The `template` that most agree on, None where none do, and the values of those that it does not give."""

    template: str | None
    own: dict[str, str] = field(default_factory=dict)


def factored(values: Mapping[str, str], paths: Mapping[str, str] | None = None) -> Factored:
    """The simplest way to say `values`, by service; with `paths` a template may begin with `{path}`."""
    paths = paths or {}
    shapes = {name: list(dict.fromkeys(_shapes(value, name, paths.get(name)))) for name, value in values.items()}
    votes = Counter(shape for each in shapes.values() for shape in each)
    if not votes:
        return Factored(None)
    # Of equals the first: it leans on the path before it leans on the name.
    template = max(votes, key=lambda shape: votes[shape])
    if votes[template] * 2 <= len(values):
        return Factored(None, dict(values))
    return Factored(template, {name: value for name, value in values.items() if template not in shapes[name]})


def _shapes(value: str, name: str, path: str | None) -> Iterator[str]:
    if path is not None and path != "." and (value == path or value.startswith(f"{path}/")):
        yield from _named("{path}", value[len(path) :], name)
    yield from _named("", value, name)


def _named(head: str, rest: str, name: str) -> Iterator[str]:
    if name in rest:
        yield head + rest.replace(name, "{service}")
        first, last = rest.find(name), rest.rfind(name)
        if first != last:
            yield head + rest[:last] + "{service}" + rest[last + len(name) :]
            yield head + rest[:first] + "{service}" + rest[first + len(name) :]
    yield head + rest
