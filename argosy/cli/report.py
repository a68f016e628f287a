"""Findings, shown as a table on a terminal, as lines elsewhere, or as one JSON object."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from argosy.cli.screen import answer, console
from argosy.doctor.findings import Finding, Level, verdict

_COLOURS = {
    Level.GOOD: "green",
    Level.SKIPPED: "dim",
    Level.WARNING: "yellow",
    Level.WRONG: "bold red",
    Level.DOWN: "bold magenta",
}


def faulty(findings: Sequence[Finding]) -> bool:
    """Whether anything is wrong or down."""
    return bool(verdict(findings))


def show(findings: Sequence[Finding], *, as_json: bool) -> None:
    """Show `findings` in their order, each remedy below what it is for."""
    if as_json:
        answer({"ok": not faulty(findings), "findings": [asdict(finding) for finding in findings]})
        return
    # Imported late: under --json nobody waits for it.
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, show_header=False)
    for name in ("level", "what", "where"):
        table.add_column(name, no_wrap=name != "where", overflow="fold")
    table.add_column("why", ratio=1, overflow="fold")
    for finding in findings:
        why = Text(finding.why)
        if finding.remedy and finding.level is not Level.GOOD:
            why.append(f"\ndo: {finding.remedy}", "green")
        table.add_row(Text(finding.level, _COLOURS[finding.level]), Text(finding.what), Text(finding.where), why)
    console().print(table)
