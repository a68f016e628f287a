"""A plan as Markdown, for a comment on a pull request."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from argosy.printable import printable

MOST_INPUTS = 10


def markdown(shown: dict[str, Any]) -> str:
    """The comment for a plan, given as `plan_document.document` makes it; it ends with a line break."""
    return "\n".join(_lines(shown)) + "\n"


def _lines(shown: dict[str, Any]) -> Iterator[str]:
    yield f"### Release to {_cell(shown['environment'])}"
    yield ""
    yield _summary(shown)
    yield ""
    yield from ("| service | state | why |", "| --- | --- | --- |")
    for name, item in shown["services"].items():
        yield f"| {_cell(name)} | `{item['state']}` | {_cell(item['reason'])} |"
    for name, why in shown["failures"].items():
        yield f"| {_cell(name)} | **failed** | {_cell(why)} |"
    for name, item in shown["services"].items():
        yield from _details(name, item)


def _summary(shown: dict[str, Any]) -> str:
    about = f"Plan `{shown['hash'][:12]}` of commit `{shown['source'][:12]}`."
    if not shown["on_source"]:
        about += " The source branch does not contain that commit: it is planned, and cannot be released."
    return f"Nothing to do. {about}" if shown["nothing_to_do"] else about


def _details(name: str, item: dict[str, Any]) -> Iterator[str]:
    if not item["inputs"] and not item["writes"]:
        return
    yield from ("", f"<details><summary>{_cell(name)}</summary>", "")
    for each in item["writes"]:
        yield f"- {_code(each['file'])}: {_code(each['path'])} {_code(each['old'])} → {_code(each['new'])}"
    for each in item["inputs"][:MOST_INPUTS]:
        yield f"- {_code(each)}"
    if more := len(item["inputs"]) - MOST_INPUTS:
        yield from ([f"- and {more} more"] if more > 0 else [])
    yield from ("", "</details>")


def _cell(text: str) -> str:
    """Text that nothing in it can break out of, whoever wrote a file's name or a tag."""
    return "".join(f"\\{c}" if c in "\\`*_{}[]<>()#|!@~" else c for c in printable(text))


def _code(text: str) -> str:
    shown = printable(text).replace("`", "'")
    return f"`{shown}`" if shown else "(blank)"
