"""Which files of a build context a `.dockerignore` leaves out, by the rules of Docker's own pattern matcher."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from dataclasses import dataclass

from argosy.errors import Terminal

Rule = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class _Pattern:
    """One line: whether it brings files back in, and whether it matches a path of the context."""

    exception: bool
    matches: Rule


def rule(text: bytes, file: str = ".dockerignore") -> Rule:
    """Whether a path of the build context is left out; `file` is the name in messages.

    The last pattern that matches the path, or a folder that it lies in, decides. Raises Terminal for a pattern that
    Docker refuses too.
    """
    lines = text.decode("utf-8-sig", errors="surrogateescape").split("\n")
    patterns = tuple(
        _pattern(line.strip(), f"{file}:{number}")
        for number, line in enumerate(lines, start=1)
        if line.strip() and not line.startswith("#")
    )
    folders: dict[str, tuple[bool, ...]] = {"": (False,) * len(patterns)}

    def matched(path: str) -> tuple[bool, ...]:
        above = posixpath.dirname(path)
        if above not in folders:
            folders[above] = matched(above)
        return tuple(
            inherited or pattern.matches(path) for inherited, pattern in zip(folders[above], patterns, strict=True)
        )

    def left_out(path: str) -> bool:
        deciding = [pattern for pattern, match in zip(patterns, matched(path), strict=True) if match]
        return bool(deciding) and not deciding[-1].exception

    return left_out if patterns else lambda _path: False


def _pattern(line: str, place: str) -> _Pattern:
    exception = line.startswith("!")
    written = line[1:].strip() if exception else line
    if not written:
        raise Terminal(f"{place}: `!` has no pattern behind it", remedy="name what it brings back, or leave it out")
    cleaned = posixpath.normpath(f"/{written}".replace("//", "/") if written.startswith("/") else written).lstrip("/")
    return _Pattern(exception, _matcher(cleaned, place))


def _matcher(pattern: str, place: str) -> Rule:
    suffix = pattern[2:]
    if pattern.startswith("**") and not set(suffix) & set("*?[]\\"):
        # Docker compares the end of the path here: `**.pyc` and `**/x` both reach into every folder.
        return lambda path: path.endswith(suffix) or f"/{path}" == suffix
    try:
        compiled = re.compile(_expression(pattern))
    except re.error as error:
        raise Terminal(
            f"{place}: {pattern} is no pattern: {error}", remedy="see Docker's .dockerignore file"
        ) from error
    return lambda path: compiled.fullmatch(path) is not None


_TOKEN = re.compile(r"\*\*/?|\*|\?|\\.|\[(?:\\.|[^\]\\])+\]|.", re.DOTALL)


def _expression(pattern: str) -> str:
    return "".join(_translated(match[0], last=match.end() == len(pattern)) for match in _TOKEN.finditer(pattern))


def _translated(part: str, *, last: bool) -> str:
    if part.startswith("**"):
        return ".*" if last else "(.*/)?"
    if part == "*":
        return "[^/]*"
    if part == "?":
        return "[^/]"
    if part.startswith("[") and len(part) > 1:
        return _class(part)
    if part in {"[", "\\"}:
        raise re.error(f"{part} has no end")
    return re.escape(part[1:] if part.startswith("\\") else part)


def _class(part: str) -> str:
    # What Python's classes give a meaning of its own, Docker's do not; ranges and a leading ^ are the same.
    return "[" + re.sub(r"(?<!\\)[\[&~|]", r"\\\g<0>", part[1:-1]) + "]"
