"""The last stage: how the run ended, as artifacts on the dashboard and as a file of the run."""

from __future__ import annotations

from prefect.runtime import flow_run

from argosy.execution import TriggerEvent, TriggerType
from argosy.home import run_folder
from argosy.redact import redact
from argosy.report import Report, execution
from tasks.artifacts import show_json, show_table
from tasks.policy import stage
from tasks.workspace import now, run_id


@stage("report", run_name="report {report.environment}", timeout=120)
def publish(report: Report, trigger: TriggerEvent | None = None) -> None:
    """Show the outcome of every service, for people as a table and for programs as the run's PipelineExecution."""
    commit = f", commit `{report.commit[:12]}`" if report.commit else ""
    described = f"`{report.source_sha[:12]}` to **{report.environment}**{commit}: {report.sentence()}"
    show_table(f"release-{report.environment}", report.rows(), described)
    cause = trigger or TriggerEvent(TriggerType.MANUAL, commit_sha=report.source_sha)
    document = execution(report, run_id(), cause, flow_run.scheduled_start_time or now(), now()).to_json()
    (run_folder(run_id()) / "execution.json").write_text(redact(document))
    show_json(f"execution-{report.environment}", document, "What this run did, for programs.")
