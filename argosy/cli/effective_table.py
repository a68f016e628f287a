"""The effective configuration on the screen: a table for people, one JSON object for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from argosy.cli.options import Options
from argosy.cli.screen import answer
from argosy.settings.effective import Origin, Setting, Value


def show(found: Mapping[str, Sequence[Setting]], file: str, options: Options) -> None:
    """Show the settings of each environment, in their order; `file` is the name of the configuration."""
    if options.json:
        answer({"file": file, "environments": {name: [asdict(each) for each in rows] for name, rows in found.items()}})
        return
    # Imported late: under --json nobody waits for it.
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=200)
    for name, rows in found.items():
        table = Table(box=None, pad_edge=False, title=Text(f"environment {name}", "bold"), title_justify="left")
        for heading in ("key", "value", "from"):
            table.add_column(heading, overflow="fold")
        for row in rows:
            style = "dim" if row.origin is Origin.BUILT_IN else ""
            table.add_row(Text(row.key, style), Text(_shown(row.value), style), Text(_place(row, file), style))
        console.print(table)


def _shown(value: Value) -> str:
    if value is None or value == []:
        return "-"
    return value if isinstance(value, str) else json.dumps(value)


def _place(row: Setting, file: str) -> str:
    if row.line is None:
        return "built in"
    return f"{file}:{row.line}" + (" (defaults)" if row.origin is Origin.DEFAULTS else "")
