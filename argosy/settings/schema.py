"""The JSON Schema (draft 2020-12) of `argosy.yaml`, for editors: made from the models that load it."""

from __future__ import annotations

import json
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core.core_schema import DictSchema, NullableSchema

from argosy.config import Configuration

FILE = ".argosy/schema.json"
"""Where `argosy init` puts the schema, beside `argosy.yaml`: in the folder that no content digest covers."""

_ECR = {"properties": {"type": {"const": "ecr"}}, "required": ["type"]}
_NEEDS: JsonSchemaValue = {
    "if": _ECR,
    "then": {"required": ["account_id", "region"]},
    "else": {"required": ["endpoint"]},
}


def schema() -> dict[str, Any]:
    """The schema as plain data, keys in a stable order."""
    made = Configuration.model_json_schema(by_alias=True, schema_generator=_Generator)
    definitions = made.pop("$defs")
    definitions["RegistryConfig"] |= _NEEDS
    for definition in definitions.values():
        if "required" not in definition:
            definition["type"] = ["object", "null"]
    plain: dict[str, Any] = _plain(made | {"$defs": definitions})
    return {"$schema": GenerateJsonSchema.schema_dialect, "title": "argosy.yaml"} | plain


def text() -> str:
    """The schema as it is written into a file."""
    return json.dumps(schema(), indent=2) + "\n"


class _Generator(GenerateJsonSchema):
    """What is not given is left out in YAML, not written as null; but nothing behind a key stands for `{}`."""

    def nullable_schema(self, schema: NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def dict_schema(self, schema: DictSchema) -> JsonSchemaValue:
        made = super().dict_schema(schema)
        made["type"] = "object" if "minProperties" in made else ["object", "null"]
        return {"additionalProperties": False} | made if "patternProperties" in made else made


def _plain(value: Any) -> Any:
    """Without the titles that pydantic makes of names, and without defaults that say nothing."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items() if not _noise(key, each)}
    return [_plain(each) for each in value] if isinstance(value, list) else value


def _noise(key: str, value: Any) -> bool:
    # Where a property is called title or default, its value is a schema.
    scalar = isinstance(value, str | float | bool)
    return (key == "title" and scalar) or (key == "default" and not scalar)
