"""A plan as a table for people."""

from __future__ import annotations

from typing import Any

from rich.table import Table
from rich.text import Text

from argosy.cli.screen import console
from argosy.printable import printable

_COLOURS = {
    "build": "bold cyan",
    "reuse": "cyan",
    "unverified": "yellow",
    "unchanged": "dim",
    "held": "magenta",
    "blocked": "magenta",
    "unknown": "bold yellow",
    "failed": "bold red",
}
_MOST_INPUTS = 3


def table(shown: dict[str, Any]) -> None:
    """Print a plan, given as `plan_document.document` makes it."""
    rows = Table(box=None, pad_edge=False, header_style="bold")
    rows.add_column("service", no_wrap=True)
    rows.add_column("state", no_wrap=True)
    rows.add_column("why", ratio=1, overflow="fold")
    for name, item in shown["services"].items():
        rows.add_row(Text(name), Text(item["state"], _COLOURS[item["state"]]), _why(item))
    for name, why in shown["failures"].items():
        rows.add_row(Text(name), Text("failed", _COLOURS["failed"]), Text(why))
    page = console()
    page.print(_heading(shown))
    page.print(rows)
    page.print(_ending(shown))
    page.print()


def _heading(shown: dict[str, Any]) -> Text:
    text = Text.assemble((shown["environment"], "bold"), f"  commit {shown['source'][:12]}  plan {shown['hash'][:12]}")
    if not shown["on_source"]:
        text.append("\nthe source branch does not contain that commit: it is planned, and cannot be released", "yellow")
    return text


def _why(item: dict[str, Any]) -> Text:
    text = Text(item["reason"])
    inputs = item["inputs"]
    if inputs:
        more = f" and {len(inputs) - _MOST_INPUTS} more" if len(inputs) > _MOST_INPUTS else ""
        text.append(f"\n{', '.join(map(printable, inputs[:_MOST_INPUTS]))}{more}", "dim")
    for each in item["writes"]:
        text.append(f"\n{each['file']}: {each['path']} = {each['new']}", "green")
    return text


def _ending(shown: dict[str, Any]) -> Text:
    if shown["nothing_to_do"]:
        unknown = [name for name, item in shown["services"].items() if item["state"] == "unknown"]
        return Text("nothing to do" + (f"; {len(unknown)} unknown: adopt once with --adopt" if unknown else ""), "dim")
    return Text(shown["message"].partition("\n")[0], "dim")
