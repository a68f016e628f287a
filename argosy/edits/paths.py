r"""The paths by which an edit names a scalar: `image.tag`, `images[name=shop/ui].newTag`, `metadata.argocd\.io/x`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from argosy.errors import WrongUse

_REMEDY = r"write it like a.b, list[0].c or list[name=x].c, with \ before a `.`, `[` or `]` that belongs to a key"
_WORD = re.compile(r"(?:[^\\.\[\]]|\\.)+", re.DOTALL)
_BRACKET = re.compile(r"\[((?:[^\\\[\]]|\\.|\[[^\[\]]*\])*)\]", re.DOTALL)
_EQUALS = re.compile(r"((?:[^\\=]|\\.)+)=(.*)", re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Key:
    """The value of a key; in a list, where `name` is a number, the element of that index."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Index:
    """The element of a list, counted from 0."""

    number: int

    def __str__(self) -> str:
        return f"[{self.number}]"


@dataclass(frozen=True, slots=True)
class Named:
    """The element of a list whose key `key` reads `value`."""

    key: str
    value: str

    def __str__(self) -> str:
        return f"[{self.key}={self.value}]"


Step = Key | Index | Named


@lru_cache(maxsize=1024)  # a release asks for the same few, file by file
def parse(path: str) -> tuple[Step, ...]:
    r"""The steps of a dotted path; a backslash makes the character behind it part of a key.

    Raises WrongUse for what is no path.
    """
    steps: list[Step] = []
    position = 0
    while position < len(path) or not steps:
        dotted = path.startswith(".", position)
        if (dotted and not steps) or (steps and not dotted and path[position] != "["):
            raise _wrong(path)
        position += dotted
        pattern = _BRACKET if path.startswith("[", position) and not dotted else _WORD
        match = pattern.match(path, position)
        if match is None:
            raise _wrong(path)
        steps.append(_bracket(match[1], path) if pattern is _BRACKET else Key(_unescaped(match[0])))
        position = match.end()
    return tuple(steps)


def assignment(text: str) -> tuple[str, str]:
    r"""The path and the value of `PATH=VALUE`: the first `=` outside of brackets that has no backslash before it.

    Raises WrongUse where there is none, or what is before it is no path.
    """
    depth, escaped = 0, False
    for position, letter in enumerate(text):
        if escaped or letter == "\\":
            escaped = not escaped
        elif letter == "=" and not depth:
            path = text[:position]
            parse(path)
            return path, text[position + 1 :]
        else:
            depth += (letter == "[") - (letter == "]" and depth > 0)
    raise WrongUse(f"{text!r} sets nothing", remedy="write PATH=VALUE, such as image.tag=1.2.3")


def _bracket(inside: str, path: str) -> Step:
    if inside.isdecimal():
        return Index(int(inside))
    match = _EQUALS.fullmatch(inside)
    if match is None:
        raise _wrong(path)
    return Named(_unescaped(match[1]), _unescaped(match[2]))


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(r"\1", text)


def _wrong(path: str) -> WrongUse:
    return WrongUse(f"{path!r} is no path", remedy=_REMEDY)
