"""What `argosy changes` says: a table for people, JSON for programs, outputs for GitHub Actions."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from argosy.changes.touched import Change
from argosy.cli.screen import answer
from argosy.errors import WrongUse


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether each service has changed between two commits; None for those where files were listed instead.

    `files` are those behind it, where they were asked for; `reason` says why it is not plainly what was asked for.
    """

    base: str | None
    head: str | None
    services: Mapping[str, bool]
    files: Mapping[str, Sequence[Change]] | None = None
    reason: str | None = None


def readable(path: str) -> str:
    r"""The path as text that is valid everywhere: a byte that is no UTF-8 is written as `\xNN`."""
    return path.encode(errors="surrogateescape").decode(errors="backslashreplace")


def document(verdict: Verdict) -> dict[str, Any]:
    """The verdict as programs read it; `files` and `reason` are there only where there is something to say."""
    found: dict[str, Any] = {"base": verdict.base, "head": verdict.head, "services": dict(verdict.services)}
    if verdict.files is not None:
        found["files"] = {name: [readable(each.path) for each in files] for name, files in verdict.files.items()}
    return found | ({"reason": verdict.reason} if verdict.reason else {})


def line(verdict: Verdict) -> None:
    """Write one line of JSON."""
    answer(document(verdict))


def show(verdict: Verdict, *, as_json: bool) -> None:
    """Show the verdict."""
    if as_json:
        line(verdict)
    elif sys.stdout.isatty():
        _table(verdict)
    else:
        sys.stdout.write("".join(f"{text}\n" for text in _lines(verdict)))


def to_github(verdict: Verdict) -> None:
    """Append the verdict to the file that GITHUB_OUTPUT names: `services`, `changes` and `any`, each of them JSON.

    Raises WrongUse where that is not set or cannot be written.
    """
    changed = [name for name, value in verdict.services.items() if value]
    outputs = {"services": dict(verdict.services), "changes": changed, "any": bool(changed)}
    file = os.environ.get("GITHUB_OUTPUT")
    if not file:
        raise WrongUse("GITHUB_OUTPUT is not set", remedy="leave --github-output out where no GitHub Actions runs this")
    # Nobody who names a service or a file can know it, and so end a value early.
    mark = f"argosy-{os.urandom(16).hex()}"
    text = "".join(f"{name}<<{mark}\n{json.dumps(value)}\n{mark}\n" for name, value in outputs.items())
    try:
        with Path(file).open("a", encoding="ascii") as written:
            written.write(text)
    except OSError as error:
        raise WrongUse(f"{file} cannot be written: {error.strerror}", remedy="see what GITHUB_OUTPUT names") from error


def _lines(verdict: Verdict) -> list[str]:
    width = max(map(len, map(_plain, verdict.services)), default=0)
    rows = [f"{_plain(name):<{width}}  {_word(value)}" for name, value in verdict.services.items()]
    for place, name in reversed(list(enumerate(verdict.services))):
        rows[place + 1 : place + 1] = [f"  {each.status:<8}  {_plain(each.path)}" for each in _behind(verdict, name)]
    return [*rows, *([verdict.reason] if verdict.reason else [])]


def _table(verdict: Verdict) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, show_header=False)
    for name, value in verdict.services.items():
        table.add_row(Text(_plain(name)), Text(_word(value), "green" if value else "dim"))
        for each in _behind(verdict, name):
            table.add_row("", Text(f"{each.status}  {_plain(each.path)}", overflow="fold"))
    console = Console(highlight=False)
    console.print(table)
    if verdict.reason:
        console.print(Text(verdict.reason, "yellow"))


def _behind(verdict: Verdict, name: str) -> Sequence[Change]:
    return (verdict.files or {}).get(name, ())


def _word(changed: bool) -> str:
    return "changed" if changed else "unchanged"


def _plain(text: str) -> str:
    # What a file is called must not steer anybody's terminal.
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in readable(text))
