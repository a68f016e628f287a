"""What a Dockerfile names: the external images that its stages, copies, mounts and syntax line come from."""

from __future__ import annotations

import io
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from dockerfile_parse import DockerfileParser

_SYNTAX = re.compile(r"\s*#\s*syntax\s*=\s*(\S+)", re.IGNORECASE)
_DIRECTIVE = re.compile(r"\s*#\s*[a-z]+\s*=", re.IGNORECASE)
_HEREDOC = re.compile(r"(?<!<)<<(-?)(?!<)(['\"]?)(\w+)\2")
_WITH_HEREDOC = re.compile(r"\s*(?:ONBUILD\s+)?(?:RUN|COPY|ADD)\s", re.IGNORECASE)
_VARIABLE = re.compile(r"\$(?:(?P<bare>\w+)|\{(?P<name>\w+)(?::(?P<operator>[-+])(?P<word>[^}]*))?\})")
_CONTINUED = re.compile(r"[\\`]\s*$")


@lru_cache(maxsize=4096)  # many services have the same one
def external_images(dockerfile: bytes) -> tuple[str, ...]:
    """The images a Dockerfile names as it writes them, sorted: FROM, COPY --from, mounts and the syntax line."""
    lines = _lines(dockerfile)
    named, stages = set(_syntax(lines)), {"scratch"}
    for step in _steps(lines):
        words = step["value"].split()
        if step["instruction"] == "ONBUILD" and words:
            step = {"instruction": words[0].upper(), "value": ""}
            words = words[1:]
        if step["instruction"] == "FROM":
            named |= _base(words, stages)
        elif step["instruction"] in {"COPY", "ADD", "RUN"}:
            named |= {name for name in _sources(words) if name.lower() not in stages and not name.isdigit()}
    return tuple(sorted(named))


def references(dockerfile: bytes, arguments: Mapping[str, str]) -> dict[str, str]:
    """Each external image as it is written, and with the build arguments filled in that a FROM can see.

    What no argument says stays as it is written.
    """
    named = external_images(dockerfile)
    if not any("$" in name for name in named):
        return {name: name for name in named}
    values: dict[str, str] = {}
    for step in _steps(_lines(dockerfile)):
        if step["instruction"] == "FROM":
            break
        if step["instruction"] == "ARG":
            for name, default in _defaults(step["value"]):
                values[name] = arguments.get(name, _filled(default, values))
    return {name: _filled(name, values) for name in named}


def declares(dockerfile: bytes, argument: str) -> bool:
    """Whether a step of the Dockerfile declares the build argument, and so is another step for each of its values."""
    steps = _steps(_lines(dockerfile)) if argument.encode() in dockerfile else []
    declared = (name for step in steps if step["instruction"] == "ARG" for name, _ in _defaults(step["value"]))
    return argument in declared


def _defaults(arguments: str) -> Iterator[tuple[str, str]]:
    for word in shlex.split(arguments):
        name, _, default = word.partition("=")
        yield name, default


def _filled(text: str, values: Mapping[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        name, operator, word = match["bare"] or match["name"], match["operator"], match["word"] or ""
        if operator == "+":
            return word if values.get(name) else ""
        return values.get(name) or (word if operator else match[0])

    return _VARIABLE.sub(value, text)


def _lines(dockerfile: bytes) -> list[str]:
    return dockerfile.decode("utf-8-sig", errors="replace").splitlines(keepends=True)


def _steps(lines: Sequence[str]) -> list[dict[str, str]]:
    parser = DockerfileParser(fileobj=io.BytesIO("".join(_instructions(lines)).encode()))
    steps: list[dict[str, str]] = parser.structure
    return steps


def _syntax(lines: Sequence[str]) -> Iterator[str]:
    for line in lines:
        if not _DIRECTIVE.match(line):
            return
        if found := _SYNTAX.match(line):
            yield found[1]


def _instructions(lines: Sequence[str]) -> Iterator[str]:
    """The lines without here-documents, which may look like instructions, and without blanks inside one."""
    rest, inside, started = iter(lines), False, False
    for line in rest:
        if not line.strip() and started:
            continue
        yield line
        comment = line.lstrip().startswith("#")
        started = started or not comment
        if not comment:
            inside = bool(_WITH_HEREDOC.match(line)) or inside
            for dash, _, end in _HEREDOC.findall(line) if inside else ():
                _skip(rest, end, indented=bool(dash))
            inside = inside and bool(_CONTINUED.search(line))


def _skip(lines: Iterator[str], end: str, *, indented: bool) -> None:
    for line in lines:
        if (line.lstrip("\t") if indented else line).rstrip("\r\n") == end:
            return


def _base(words: Sequence[str], stages: set[str]) -> set[str]:
    names = [word for word in words if not word.startswith("--")]
    found = {name for name in names[:1] if name.lower() not in stages}
    if len(names) == 3 and names[1].upper() == "AS":
        stages.add(names[2].lower())
    return found


def _sources(words: Sequence[str]) -> Iterator[str]:
    for word in words:
        if not word.startswith("--"):
            return
        flag, _, value = word.partition("=")
        if flag == "--from":
            yield value
        elif flag == "--mount":
            yield from (option[5:] for option in value.split(",") if option.startswith("from="))
