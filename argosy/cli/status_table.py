"""The status of an environment as a table for people."""

from __future__ import annotations

from typing import Any

from rich.table import Table
from rich.text import Text

from argosy.cli.screen import console
from argosy.printable import printable

_HEALTH = {"Healthy": "green", "Degraded": "bold red", "Missing": "bold red", "Progressing": "yellow"}
_SYNC = {"Synced": "green", "OutOfSync": "yellow"}
_COLUMNS = ("service", "source", "digest", "sync", "health", "verified", "hold")


def table(shown: dict[str, Any]) -> None:
    """Print a status, given as `argosy.cli.status.document` makes it."""
    rows = Table(box=None, pad_edge=False, header_style="bold")
    for name in _COLUMNS:
        rows.add_column(name, no_wrap=name != "hold", overflow="fold", ratio=1 if name == "hold" else None)
    for name, item in shown["services"].items():
        rows.add_row(Text(name), *_cells(item))
    for name, why in shown["failures"].items():
        rows.add_row(Text(name, "bold red"), *[Text("")] * 5, Text(printable(why)))
    page = console()
    page.print(Text.assemble((shown["environment"], "bold"), f"  target {shown['target'][:12]}"))
    page.print(rows)
    for trouble in sorted({item["trouble"] for item in shown["services"].values() if item["trouble"]}):
        page.print(Text(printable(trouble), "yellow"))
    if not shown["noted"] and any(item["verified"] is False for item in shown["services"].values()):
        page.print(Text("this clone has no notes of verification: see argosy status --help", "dim"))
    page.print()


def _cells(item: dict[str, Any]) -> list[Text]:
    verified = {True: Text("yes", "green"), False: Text("no", "yellow"), None: Text("-", "dim")}[item["verified"]]
    return [
        Text((item["source"] or "unknown")[:12]),
        Text((item["content"] or "")[:12] or "-"),
        Text(item["sync"] or "-", _SYNC.get(item["sync"], "")),
        Text(item["health"] or "-", _HEALTH.get(item["health"], "")),
        verified,
        _hold(item["hold"]),
    ]


def _hold(hold: dict[str, Any] | None) -> Text:
    if hold is None:
        return Text("")
    until = f", until {hold['until'][:16]}" if hold["until"] else ""
    return Text(printable(f"{hold['reason']} ({hold['who']}, {hold['since'][:10]}{until})"), "magenta")
