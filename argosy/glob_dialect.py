"""Globs as picomatch reads them, written as wcmatch does: what the two read differently is put into other words."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_RANGE = re.compile(r"\{(\w+)\.\.(\w+)\}")
_MAGIC = re.compile(r"([-!~*?()\[\]|{}\\+@])")
_CLASS = re.compile(r"\[(\^?\]?(?:\[:\w+:\]|\\.|[^\]\\])*)\]", re.DOTALL)
# What may follow on `!(…)` that looks at the whole rest of the name: closing brackets alone, or one plain extension.
_END = re.compile(r"\)*$")
_EXTENSION = re.compile(r"\.[^\\/.]+$")


class NoGlobError(ValueError):
    """A pattern that picomatch makes an expression of which matches nothing."""


def alternatives(pattern: str) -> list[str]:
    """The patterns of wcmatch that match, one or the other, what `pattern` does in picomatch.

    Raises NoGlobError for one that matches nothing, such as one with a brace that is never closed.
    """
    reader = _Reader(pattern)
    while reader.at < len(pattern):
        read = _READERS.get(pattern[reader.at], _Reader.plain)
        read(reader)
    return reader.done()


@dataclass(slots=True)
class _Reader:
    """How far `pattern` is read, what is written for it, and the brackets that are open, with their places there."""

    pattern: str
    at: int = 0
    written: list[str] = field(default_factory=list)
    finished: list[str] = field(default_factory=list)
    opened: list[tuple[str, int]] = field(default_factory=list)

    def done(self) -> list[str]:
        """Every alternative."""
        if any(bracket == "{" for bracket, _ in self.opened):
            raise NoGlobError(self.pattern)
        for _, place in self.opened:  # a parenthesis that is never closed is a plain one
            self.written[place] = "\\("
        return [*self.finished, "".join(self.written)]

    def _write(self, text: str, length: int = 1) -> None:
        """Write `text` for the next `length` characters."""
        self.written.append(text)
        self.at += length

    def plain(self) -> None:
        self._write(self.pattern[self.at])

    def escape(self) -> None:
        self._write(f"\\{self.pattern[self.at + 1 : self.at + 2] or chr(92)}", 2)

    def quotation(self) -> None:
        end = self.pattern.find('"', self.at + 1)
        end = len(self.pattern) if end < 0 else end
        self._write(_MAGIC.sub(r"\\\1", self.pattern[self.at + 1 : end]), end + 1 - self.at)

    def character_class(self) -> None:
        found = _CLASS.match(self.pattern, self.at)
        if not found:
            self._write("\\[")
        elif found[1].startswith("!"):  # only ^ turns a class round
            self._write(f"[\\{found[1]}]", len(found[0]))
        else:
            self._write(found[0], len(found[0]))

    def brace(self) -> None:
        found = _RANGE.match(self.pattern, self.at)
        if found:  # a range is one character, whatever its ends
            first, last = sorted(found.groups())
            self._write(f"[{first}-{last}]", len(found[0]))
            return
        self.opened.append(("{", len(self.written)))
        self._write("{")

    def brace_end(self) -> None:
        if self.opened and self.opened[-1][0] == "{":
            self.opened.pop()
        self._write("}")

    def group(self) -> None:
        before = self.written[-1] if self.written else ""
        if before not in {"?", "*", "+", "@", "!"}:
            before = "("
        self.opened.append((before, len(self.written)))
        self._write("(" if before != "(" else "@(")

    def group_end(self) -> None:
        if not self.opened or self.opened[-1][0] == "{":
            self._write("\\)")
            return
        kind, place = self.opened.pop()
        self.at += 1
        if kind == "!" and not self._sees_the_rest(place):
            self.written[place + 1 :] = ["*|" if part == "|" else part for part in self.written[place + 1 :]]
            self.written.append("*")
        self.written.append(")")

    def _sees_the_rest(self, place: int) -> bool:
        rest, inside = self.pattern[self.at :], "".join(self.written[place:])
        return bool(_END.match(rest) or "/" in inside or ("*" in inside and _EXTENSION.match(rest)))

    def pipe(self) -> None:
        if self.opened:
            self._write("|")
            return
        self.finished.append("".join(self.written))
        self.written = []
        self.at += 1


_READERS = {
    "\\": _Reader.escape,
    '"': _Reader.quotation,
    "[": _Reader.character_class,
    "{": _Reader.brace,
    "}": _Reader.brace_end,
    "(": _Reader.group,
    ")": _Reader.group_end,
    "|": _Reader.pipe,
}
