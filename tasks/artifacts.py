"""Artifacts on the dashboard: the one place where they are made, so that none holds a secret."""

from __future__ import annotations

from collections.abc import Sequence

from prefect.artifacts import create_markdown_artifact, create_table_artifact

from argosy.redact import redact


def show_table(key: str, rows: Sequence[dict[str, str]], description: str) -> None:
    """Show `rows` as the table `key` of this run; keys are lower-case letters, digits and dashes."""
    clean = [{column: redact(cell) for column, cell in row.items()} for row in rows]
    create_table_artifact(key=key, table=clean, description=redact(description))


def show_json(key: str, document: str, description: str) -> None:
    """Show a JSON `document` as the artifact `key` of this run."""
    create_markdown_artifact(key=key, markdown=f"```json\n{redact(document)}\n```", description=redact(description))
