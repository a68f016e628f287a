"""Globs as picomatch has them with `dot: true`, which are the patterns of paths-filter documents."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

Quantifier = Literal["some", "every", "some-with-excludes"]
QUANTIFIERS: tuple[Quantifier, ...] = ("some", "every", "some-with-excludes")
"""How the patterns of a filter go together: one is enough; all are needed; one is, and no `!` pattern takes it away."""

_LONGEST = 65_536
_MOST = 10_000
"""The most patterns that the braces of one may stand for."""
_MARKS = re.compile(r"(?:!(?!\((?!\?)))*")
_PLAIN = re.compile(r"[^*?\[\](){}|\\\"]*")
# In a simpler pattern than this a pipe is plain text.
_STRUCTURED = re.compile(r"^[*!]|[/()\[\]{}\"]")
# A group of names to leave out may hold slashes where it is the whole pattern; elsewhere it is about one folder.
_ALL_BUT = re.compile(r"!\(([^()]*/[^()]*)\)")

Test = Callable[[str], bool]


def matches(patterns: Sequence[str], path: str, quantifier: str = "some") -> bool:
    """Whether `patterns` match `path` under `quantifier`, one of QUANTIFIERS.

    It never raises: a pattern that makes no sense matches nothing, as do no patterns at all.
    """
    found = [glob(pattern) for pattern in patterns]
    if quantifier == "every":
        return bool(found) and all(each.matches(path) for each in found)
    if quantifier == "some-with-excludes":
        included = any(each.matches(path) for each in found if not each.negated)
        return included and not any(each.excludes(path) for each in found)
    return any(each.matches(path) for each in found)


@dataclass(frozen=True, slots=True)
class Glob:
    """A pattern, taken apart: `body` is what follows its `!` marks and `./`.

    What the body matches lies in `folder`, or is it; with `whole` that is all it asks for.
    """

    pattern: str
    negated: bool
    body: str
    folder: str
    whole: bool

    def matches(self, path: str) -> bool:
        """Whether the pattern matches `path`."""
        if path == self.pattern:
            return bool(path)
        test = self._within if self.whole else _test(self.body)
        return bool(path) and test is not None and test(path) is not self.negated

    def excludes(self, path: str) -> bool:
        """Whether this is a pattern that begins with `!`, and `path` is among what it names."""
        return self.negated and not self.matches(path)

    @property
    def below(self) -> str:
        """The folder that everything lies in, or is, that the pattern matches; empty for the whole repository."""
        return "" if self.negated else self.folder

    def _within(self, path: str) -> bool:
        folder = self.folder
        return path == folder or (path.startswith(folder) and path[len(folder)] == "/")


def folder(path: str) -> Glob:
    """What matches `path` and everything below it, whatever characters it is made of; `.` is the whole repository."""
    return glob("**") if path == "." else Glob(f"{path}/**", negated=False, body=f"{path}/**", folder=path, whole=True)


@lru_cache(maxsize=16_384)
def glob(pattern: str) -> Glob:
    """The pattern, taken apart; it is compiled only when it is needed."""
    body = pattern.removeprefix("./")
    marks = _MARKS.match(body)
    count = marks.end() if marks else 0
    body = body[count:].removeprefix("./") if _STRUCTURED.search(body) else body.replace("|", "\\|")
    plain = _plain(body)
    whole = bool(plain) and body == f"{plain}/**"
    folder = plain if whole or plain == body else plain.rpartition("/")[0]
    return Glob(pattern, count % 2 == 1, body, "" if _splits(body) else folder, whole)


def _splits(body: str) -> bool:
    """Whether the pattern may be two, with a pipe between them that stands in no brackets."""
    if "|" not in body or "\\" in body or '"' in body:
        return "|" in body
    depth = 0
    for character in body:
        depth += (character in "([{") - (character in ")]}")
        if character == "|" and depth <= 0:
            return True
    return False


def _plain(body: str) -> str:
    found = _PLAIN.match(body)
    plain = found[0] if found else ""
    return plain.removesuffix("/") if body == f"{plain}**" else plain


@lru_cache(maxsize=16_384)
def _test(body: str) -> Test | None:
    """Whether a path matches `body`; None where nothing ever does."""
    if not body or len(body) > _LONGEST:
        return None
    if _plain(body) == body:
        return body.__eq__
    if found := _ALL_BUT.fullmatch(body):
        # Behind the bracket `**/` is one folder at least.
        named = _compiled(["*/" + each if each.startswith("**/") else each for each in found[1].split("|")])
        return named and (lambda path: not named(path))
    return _compiled([body])


def _compiled(bodies: Sequence[str]) -> Test | None:
    # Imported late: most filters are folders, and need no library.
    from wcmatch import glob as wildcards
    from wcmatch._wcparse import PatternLimitException

    from argosy.glob_dialect import alternatives

    flags = (
        wildcards.GLOBSTAR | wildcards.DOTGLOB | wildcards.EXTGLOB | wildcards.BRACE
        | wildcards.NODOTDIR | wildcards.FORCEUNIX
    )  # fmt: skip
    try:
        wanted = [form for body in bodies for each in alternatives(body) for form in _with_folder(each)]
        sources = wildcards.translate(wanted, flags=flags, limit=_MOST)[0]
        expressions = tuple(re.compile(source).fullmatch for source in sources)
    except (ValueError, OverflowError, RecursionError, re.error, PatternLimitException):
        return None
    at_folders = all(body.endswith("/") for body in bodies)
    return lambda path: (path.endswith("/") or not at_folders) and any(each(path) for each in expressions)


def _with_folder(pattern: str) -> list[str]:
    """The pattern, and for `X/**` also `X`, which is a submodule where that is one; not so behind a star."""
    forms = [pattern]
    while (above := forms[-1].removesuffix("/**")) not in {"", forms[-1]} and not above.endswith("*"):
        forms.append(above)
    return forms
