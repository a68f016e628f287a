"""A run as programs read it: what started it, what it did with each service, and how it ended."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum

from argosy.models import BuildStatus, Service


class TriggerType(StrEnum):
    """What started a run."""

    PUSH = "push"
    PULL_REQUEST = "pull_request"
    SCHEDULE = "schedule"
    MANUAL = "manual"


@dataclass(frozen=True, slots=True)
class TriggerEvent:
    """Why a run was started; `commit_sha` is a full SHA where it is known."""

    type: TriggerType
    branch: str | None = None
    commit_sha: str | None = None
    author: str | None = None


@dataclass(frozen=True, slots=True)
class ServiceBuild:
    """One service within a run; `cached` of the `steps` that its build ran were spared by the cache.

    `category` is the kind of failure where its build failed of one of the known kinds.
    """

    service: Service
    changed: bool
    build_status: BuildStatus
    image_digest: str | None = None
    ecr_url: str | None = None
    steps: int = 0
    cached: int = 0
    category: str | None = None


class ExecutionStatus(StrEnum):
    """How a run stands."""

    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class PipelineExecution:
    """A run as programs read it; times carry a zone."""

    id: str
    trigger: TriggerEvent
    services: tuple[ServiceBuild, ...]
    status: ExecutionStatus
    created_at: datetime
    completed_at: datetime | None = None

    def to_json(self) -> str:
        """One JSON object, keys in a stable order."""
        return json.dumps(asdict(self), default=_iso, sort_keys=True)


def _iso(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
