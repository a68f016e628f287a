"""What a Prefect server has to know of Argosy: its block types, the blocks of an installation, its deployments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from prefect import Flow
from prefect.blocks.core import Block
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.deployments.runner import RunnerDeployment
from prefect.exceptions import ObjectAlreadyExists
from prefect.schedules import Schedule
from prefect.types.entrypoint import EntrypointType
from prefect_aws import AwsCredentials
from pydantic import SecretStr, ValidationError
from ruamel.yaml import YAML

from argosy.errors import ConfigurationError
from flows.hold import hold
from flows.release import release
from flows.rollback import rollback
from tasks.block_loading import KINDS
from tasks.workspace import load

_KINDS: dict[str, type[Block]] = {kind.get_block_type_slug(): kind for kind in KINDS}
FLOWS: dict[str, Flow[Any, Any]] = {f"flows.{flow.name}.{flow.name}": flow for flow in (release, hold, rollback)}
"""The flows that a `prefect.yaml` may deploy, by their entrypoints."""


@dataclass(frozen=True, slots=True)
class BlockDocument:
    """A block to be: its type's slug, its name, and its fields; `{"$block": NAME}` stands for another block."""

    type: str
    name: str
    values: Mapping[str, Any]


def register_types() -> list[str]:
    """Make every type of block known to the server; return their slugs."""
    for kind in _KINDS.values():
        kind.register_type_and_schema()
    return list(_KINDS)


def register_blocks(documents: Sequence[BlockDocument]) -> list[str]:
    """Create or overwrite each block, in order; return `type/name` of each.

    Raises ConfigurationError for a type, a field or another block that is not known, and for a value that is wrong;
    blocks before it are registered then.
    """
    for document in documents:
        kind = _KINDS.get(document.type)
        if kind is None:
            known = ", ".join(_KINDS)
            raise ConfigurationError(f"{document.type} is no type of block", remedy=f"the types are {known}")
        if document.values.get("aws_session_token"):
            raise ConfigurationError(
                f"{document.type}/{document.name}: Prefect shows an aws_session_token in clear, also in its events",
                remedy="leave it out: name a role in assume_role_arn, or give the worker's machine one",
            )
        _block(kind, document).save(document.name, overwrite=True)
    return [f"{document.type}/{document.name}" for document in documents]


def _block(kind: type[Block], document: BlockDocument) -> Block:
    values = {name: _value(kind, name, value) for name, value in document.values.items()}
    unknown = sorted(values.keys() - kind.model_fields.keys())
    if unknown:
        raise ConfigurationError(
            f"{document.type}/{document.name} has no field {unknown[0]}",
            remedy=f"its fields are {', '.join(kind.model_fields)}",
        )
    try:
        return kind(**values)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(map(str, first["loc"]))
        raise ConfigurationError(
            f"{document.type}/{document.name}: {field}: {first['msg']}", remedy="correct that field"
        ) from None  # pydantic's own text quotes the input, which may be a secret


def _value(kind: type[Block], name: str, value: Any) -> Any:
    if isinstance(value, Mapping) and "$block" in value:
        return load(AwsCredentials, value["$block"])
    field = kind.model_fields.get(name)
    return SecretStr(value) if field and "SecretStr" in str(field.annotation) and isinstance(value, str) else value


def register_deployments(file: Path, overrides: Mapping[str, Any]) -> list[str]:
    """Create or update the work pool and every deployment of a `prefect.yaml`; return their names.

    `overrides` are parameters laid over those of each deployment.
    """
    described = YAML(typ="safe").load(file.read_text())["deployments"]
    for pool in sorted({item["work_pool"]["name"] for item in described}):
        _ensure_pool(pool)
    return [_deploy(item, overrides) for item in described]


def _ensure_pool(name: str) -> None:
    with get_client(sync_client=True) as client:
        try:
            client.create_work_pool(WorkPoolCreate(name=name, type="process"))
        except ObjectAlreadyExists:
            return


def _deploy(item: Mapping[str, Any], overrides: Mapping[str, Any]) -> str:
    flow = FLOWS.get(item["entrypoint"])
    if flow is None:
        raise ConfigurationError(
            f"deployment {item['name']}: {item['entrypoint']} is no flow of Argosy's",
            remedy=f"its flows are {', '.join(FLOWS)}",
        )
    deployment = flow.to_deployment(
        name=item["name"],
        description=item["description"],
        tags=item["tags"],
        parameters={**item["parameters"], **overrides},
        schedules=[_schedule(each) for each in item.get("schedules", ())],
        work_pool_name=item["work_pool"]["name"],
        job_variables=item["work_pool"]["job_variables"],
        entrypoint_type=EntrypointType.MODULE_PATH,
    )
    cast("RunnerDeployment", deployment).apply()  # a coroutine only where a loop runs, which is not here
    return f"{flow.name}/{item['name']}"


def _schedule(item: Mapping[str, Any]) -> Schedule:
    return Schedule(
        cron=item["cron"], timezone=item["timezone"], slug=item["slug"], parameters=item.get("parameters", {})
    )
