"""What the demo shows: chapters, a run as it goes, tables of what came of it. Plain text where there is no terminal."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from rich.console import Console, Group
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from argosy.errors import Transient
from deployments.local.demo.proofs import Evidence
from deployments.local.prefect_api import FlowRun, PrefectApi, TaskRun

_COLOURS = {"COMPLETED": "green", "RUNNING": "cyan", "FAILED": "red", "CRASHED": "red", "PENDING": "dim"}
_PATIENCE = 300.0


class Screen:
    """Tells a person what happens, on `console`."""

    def __init__(self, console: Console) -> None:
        self.console = console

    def chapter(self, title: str, words: str) -> None:
        """Begin a chapter."""
        self.console.print()
        self.console.rule(f"[bold]{title}[/]", align="left")
        self.console.print(words)

    def part(self, name: str, seconds: float) -> None:
        """Say that a part of the stack is up."""
        self.console.print(f"  [green]up[/] {name} [dim]{seconds:.1f} s[/]", highlight=False)

    def follow(self, api: PrefectApi, run: FlowRun) -> FlowRun:
        """Show the run's tasks as they go, until it has ended; raises Transient when that takes five minutes."""
        deadline = time.monotonic() + _PATIENCE
        with Live(console=self.console, refresh_per_second=8, transient=False) as live:
            while True:
                run = api.flow_run(run.id)
                live.update(_progress(run, api.task_runs(run.id)))
                if run.final:
                    break
                if time.monotonic() > deadline:
                    raise Transient(
                        f"{run.name} is still {run.state_name} after {_PATIENCE:.0f} s",
                        remedy="see its log on the dashboard: make demo KEEP=1 leaves it up",
                    )
                time.sleep(0.4)
        if not self.console.is_terminal:
            self.console.print()  # a live display ends its last line on a terminal alone
        return run

    def outcome(self, report: Sequence[Mapping[str, str]]) -> None:
        """Show what the run's report, on the dashboard too, says of each service."""
        if report:
            self.console.print(_table(report))

    def proofs(self, evidence: Sequence[Evidence]) -> None:
        """Show what was claimed, and what was seen."""
        table = Table(title="Claims, each looked up", title_justify="left")
        table.add_column("")
        table.add_column("claim")
        table.add_column("seen", style="dim")
        for each in evidence:
            table.add_row("[green]true[/]", Text(each.claim), Text(each.seen))
        self.console.print(table)


def _progress(run: FlowRun, tasks: Sequence[TaskRun]) -> Group:
    table = Table(box=None, show_header=False, padding=(0, 2), pad_edge=False)
    for task in tasks:
        colour = _COLOURS.get(task.state, "yellow")
        table.add_row(f"[{colour}]{task.state_name.lower()}[/]", Text(task.name), f"[dim]{task.seconds:.1f} s[/]")
    colour = _COLOURS.get(run.state, "yellow")
    if not run.final:
        return Group(table, Spinner("dots", text=f"run {run.name}: {run.state_name.lower()}"))
    return Group(table, Text.from_markup(f"[bold {colour}]{run.state_name}[/]: ").append(run.message))


def _table(rows: Sequence[Mapping[str, str]]) -> Table:
    table = Table()
    for column in ("service", "state", "result", "detail"):
        table.add_column(column)
    for row in rows:
        bad = row["result"] in {"failed", "degraded"}
        table.add_row(*(Text(str(row[column])) for column in ("service", "state", "result", "detail")),
                      style="red" if bad else "dim" if row["result"] == "untouched" else "")  # fmt: skip
    return table
