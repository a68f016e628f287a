"""BuildKit's plain progress, read line by line: what people are told of it, and what came of its steps."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from argosy.builds.excerpt import Excerpt, SourceLine

_KEPT = 50
"""The lines of each step that are remembered for the case that it fails."""
_NAME = 72
"""The characters of a step's name before each line of its output; the line that begins it has all of them."""

_OF_A_VERTEX = re.compile(r"#(?P<number>\d+) (?P<said>.*)")
_TIMED = re.compile(r"\d+\.\d+ ?(?P<text>.*)")
_ENDED = re.compile(r"(?:DONE (?P<seconds>\d+\.\d+)s|(?P<word>CACHED|CANCELED)|ERROR: (?P<cause>.*))")
_STEP = re.compile(r"\[(?P<stage>(?:[^\]]* )?)(?P<index>\d+)/(?P<of>\d+)\] (?P<instruction>\w+).*")
# A layer on its way, told many times a second: `sha256:… 1.05MB / 9.44MB 0.3s`.
_TRANSFER = re.compile(r"sha256:[0-9a-f]{64} [\d.]+\w*B / .*(?<!done)")
_EXPORT = "exporting to image"
_PUSHED = re.compile(r"pushing manifest for \S+@(?P<digest>sha256:[0-9a-f]{64})\b.*")
_ESCAPE = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")


@dataclass(slots=True)
class _Vertex:
    """One piece of BuildKit's work: a step of the Dockerfile, or something of its own such as the export."""

    name: str
    step: re.Match[str] | None
    ending: str | None = None
    cause: str = ""
    lines: deque[str] = field(default_factory=lambda: deque(maxlen=_KEPT))

    @property
    def counts(self) -> bool:
        """Whether it is a step that a cache can spare, and came to its end."""
        return self.step is not None and self.step["instruction"] != "FROM" and self.ending in {"DONE", "CACHED"}


@dataclass(frozen=True, slots=True)
class FailedStep:
    """The step that ended a build: its name, what BuildKit says of it, its last lines without their times."""

    name: str
    cause: str
    lines: tuple[str, ...]


class BuildOutput:
    """What is known of a build from the lines of `--progress=plain` that were added so far.

    One thread adds them; others may ask meanwhile.
    """

    def __init__(self) -> None:
        self._vertices: dict[int, _Vertex] = {}
        self._open: _Vertex | None = None
        self._told = 0.0
        self._manifest: str | None = None
        self._excerpt = Excerpt()
        self.pushed: str | None = None
        """The digest of the image, once BuildKit has pushed it; what comes after is the export of the cache."""

    @classmethod
    def read(cls, log: str) -> BuildOutput:
        """The output of a build that has ended."""
        output = cls()
        for line in log.split("\n"):
            output.add(line)
        return output

    def add(self, line: str) -> str | None:
        """The next line as people should read it, under its step's name; None where it tells them nothing new."""
        line = _ESCAPE.sub("", line).rstrip()
        found = _OF_A_VERTEX.fullmatch(line)
        if found:
            return self._of_vertex(int(found["number"]), found["said"])
        self._excerpt.add(line)
        if line and self._open:  # what a program printed after a carriage return, such as its own progress
            return self._text(self._open, line)
        return line or None

    def _of_vertex(self, number: int, said: str) -> str | None:
        vertex = self._vertices.get(number)
        if vertex is None:
            vertex = self._vertices[number] = _Vertex(said, _STEP.fullmatch(said))
            self._open = vertex if number else None
            return said
        self._open = vertex
        if said in {"...", vertex.name}:  # another one has the word now; this one has it again
            self._open = vertex if said != "..." else None
            return None
        if timed := _TIMED.fullmatch(said):
            return self._text(vertex, timed["text"])
        if ended := _ENDED.fullmatch(said):
            return self._end(vertex, ended)
        if vertex.name == _EXPORT and (found := _PUSHED.fullmatch(said)):
            self._manifest = found["digest"]
        return None if _TRANSFER.fullmatch(said) else _under(vertex, said)

    def _text(self, vertex: _Vertex, text: str) -> str | None:
        if not text.strip():
            return None
        vertex.lines.append(text)
        return _under(vertex, text)

    def _end(self, vertex: _Vertex, ended: re.Match[str]) -> str | None:
        self._open = None
        before, vertex.ending = vertex.ending, ended["word"] or ("DONE" if ended["seconds"] else "ERROR")
        vertex.cause = ended["cause"] or ""
        if vertex.name == _EXPORT and vertex.ending == "DONE":
            self.pushed = self._manifest
        if vertex.ending == before:
            return None
        if ended["seconds"]:
            return _under(vertex, f"done in {ended['seconds']} s")
        words = {"CACHED": "cached", "CANCELED": "cancelled", "ERROR": f"ERROR: {vertex.cause}"}
        return _under(vertex, words[vertex.ending])

    def _known(self) -> list[_Vertex]:
        return list(self._vertices.values())  # at once, whoever adds one meanwhile

    @property
    def steps(self) -> int:
        """How many steps of the Dockerfile are done, cached ones included; a `FROM` is none."""
        return sum(vertex.counts for vertex in self._known())

    @property
    def cached(self) -> int:
        """How many of `steps` the cache spared."""
        return sum(vertex.counts and vertex.ending == "CACHED" for vertex in self._known())

    @property
    def share(self) -> float:
        """The share of the known steps that are done, from 0 to below 1, the image's own way being one more.

        It never goes back, though stages become known only when they are begun.
        """
        done, known = _progress(vertex for vertex in self._known() if vertex.step)
        self._told = max(self._told, done / (known + 1))
        return self._told

    @property
    def doing(self) -> str:
        """What is being done now, or was last: a step's name in short; "" at first."""
        named = [vertex.name for vertex in self._known() if vertex.ending is None]
        return _short(named[-1]) if named else ""

    @property
    def failed(self) -> FailedStep | None:
        """The step that the build failed with, where one did."""
        broken = [vertex for vertex in self._known() if vertex.ending == "ERROR"]
        named = [vertex for vertex in broken if vertex.name == self._excerpt.title]
        if chosen := (named or broken)[-1:]:
            return FailedStep(chosen[0].name, chosen[0].cause, tuple(chosen[0].lines))
        return FailedStep(self._excerpt.title, "", ()) if self._excerpt.title else None

    @property
    def place(self) -> SourceLine | None:
        """The line of the Dockerfile that the error points at."""
        return self._excerpt.place

    @property
    def cause(self) -> str | None:
        """The client's last word on why the build failed."""
        return self._excerpt.cause


def _progress(vertices: Iterable[_Vertex]) -> tuple[int, int]:
    """The steps done, and the steps known, of all stages that were begun.

    Stages that begin alike share steps, which only one of them tells of: a step that is done says that those before it
    in its stage are.
    """
    known: dict[str, int] = {}
    done: dict[str, int] = {}
    for vertex in vertices:
        if step := vertex.step:
            known[step["stage"]] = int(step["of"])
            at = int(step["index"]) if vertex.ending in {"DONE", "CACHED"} else int(step["index"]) - 1
            done[step["stage"]] = max(done.get(step["stage"], 0), at)
    return sum(done.values()), sum(known.values())


def _under(vertex: _Vertex, text: str) -> str:
    return f"{_short(vertex.name)}: {text}"


def _short(name: str) -> str:
    return name if len(name) <= _NAME else f"{name[: _NAME - 1]}…"
