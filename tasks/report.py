"""The last stage: how the run ended, as an artifact on the dashboard."""

from __future__ import annotations

from prefect.artifacts import create_table_artifact

from argosy.report import Report
from tasks.policy import stage


@stage("report", run_name="report {report.environment}", timeout=120)
def publish(report: Report) -> None:
    """Show the outcome of every service."""
    commit = f", commit `{report.commit[:12]}`" if report.commit else ""
    create_table_artifact(
        key=f"release-{report.environment}",
        table=report.rows(),
        description=f"`{report.source_sha[:12]}` to **{report.environment}**{commit}: {report.sentence()}",
    )
