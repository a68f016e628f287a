"""The last stage: how the run ended, as an artifact on the dashboard."""

from __future__ import annotations

from argosy.report import Report
from tasks.artifacts import show_table
from tasks.policy import stage


@stage("report", run_name="report {report.environment}", timeout=120)
def publish(report: Report) -> None:
    """Show the outcome of every service."""
    commit = f", commit `{report.commit[:12]}`" if report.commit else ""
    described = f"`{report.source_sha[:12]}` to **{report.environment}**{commit}: {report.sentence()}"
    show_table(f"release-{report.environment}", report.rows(), described)
