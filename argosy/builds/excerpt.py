"""What BuildKit prints after a build has failed: which step it was, where the Dockerfile has it, and the error."""

from __future__ import annotations

import re
from dataclasses import dataclass

_RULE = "------"
_TITLE = re.compile(r" > (?P<title>.*):")
_PLACE = re.compile(r"(?P<file>.+):(?P<line>\d+)")
_SOURCE = re.compile(r" *(?P<line>\d+) \| (?P<mark>>>>|   ) ?(?P<text>.*)")
_ERROR = re.compile(r"(?:ERROR|error): (?P<cause>.*)")
_PREFIX = re.compile(r"(?:failed to build: )?(?:failed to solve: )?")


@dataclass(frozen=True, slots=True)
class SourceLine:
    """The place in a Dockerfile that an error points at: `file` as BuildKit names it, and the marked line's text."""

    file: str
    number: int
    text: str


class Excerpt:
    """Reads the lines that belong to no step, one by one; the last word of each kind counts.

    `title` is the name of the step that failed, `place` where the Dockerfile has it, `cause` the error without what
    every error begins with; each is None until it was said.
    """

    def __init__(self) -> None:
        self.title: str | None = None
        self.place: SourceLine | None = None
        self.cause: str | None = None
        self._before = ""
        self._named: tuple[str, int] | None = None

    def add(self, line: str) -> None:
        """The next line."""
        if self._before == _RULE and (title := _TITLE.fullmatch(line)):
            self.title = title["title"]
        elif error := _ERROR.fullmatch(line):
            self.cause = _PREFIX.sub("", error["cause"].strip(), count=1)
        elif source := _SOURCE.fullmatch(line):
            self._mark(source)
        elif place := _PLACE.fullmatch(line):
            self._named = place["file"], int(place["line"])
        self._before = line

    def _mark(self, source: re.Match[str]) -> None:
        # A step of several lines is named by its first one, and all of them are marked.
        if source["mark"].strip() and self._named and self._named[1] == int(source["line"]):
            self.place = SourceLine(*self._named, source["text"].strip())
