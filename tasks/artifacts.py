"""Artifacts on the dashboard: the one place where they are made, so that none holds a secret."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import ArtifactCreate, ArtifactUpdate

from argosy.redact import redact


def show_table(key: str, rows: Sequence[dict[str, str]], description: str) -> None:
    """Show `rows` as the table `key` of this run; keys are lower-case letters, digits and dashes."""
    clean = [{column: redact(cell) for column, cell in row.items()} for row in rows]
    create_table_artifact(key=key, table=clean, description=redact(description))


def show_json(key: str, document: str, description: str) -> None:
    """Show a JSON `document` as the artifact `key` of this run."""
    create_markdown_artifact(key=key, markdown=f"```json\n{redact(document)}\n```", description=redact(description))


class ProgressBar:
    """The progress artifact `key` of the flow run `run`, and of its task run `task` where that is said.

    It is made when it is first shown. Prefect's own functions make a client for each call, and need to be called within
    a run: this takes one client for all, in whatever thread.
    """

    def __init__(self, key: str, run: str, task: str | None = None) -> None:
        self._key, self._run, self._task = key, UUID(run), UUID(task) if task else None
        self._id: UUID | None = None
        self._shown: tuple[float, str] | None = None

    def show(self, client: SyncPrefectClient, percent: float, description: str) -> None:
        """Show `percent`, from 0 to 100, and what it is of; nothing is sent where that is shown already.

        Raises what Prefect's client raises.
        """
        wanted = round(percent, 1), redact(description)
        if wanted == self._shown:
            return
        if self._id is None:
            made = ArtifactCreate(
                type="progress", key=self._key, data=wanted[0], description=wanted[1], flow_run_id=self._run,
                task_run_id=self._task,
            )  # fmt: skip
            self._id = client.create_artifact(made).id
        else:
            client.update_artifact(self._id, ArtifactUpdate(data=wanted[0], description=wanted[1]))
        self._shown = wanted
