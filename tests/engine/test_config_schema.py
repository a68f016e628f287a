"""The JSON Schema of argosy.yaml: as committed, and of one mind with what loads the file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from argosy.config import load
from argosy.errors import ConfigurationError
from argosy.settings.schema import schema, text
from argosy.yaml_files.positions import Document
from tests.engine.shop import CONFIGURATION

ROOT = Path(__file__).parents[2]
VALIDATOR = Draft202012Validator(schema())


def valid(configuration: str) -> bool:
    return not list(VALIDATOR.iter_errors(Document(configuration.encode(), "argosy.yaml").data()))


def loads(configuration: str) -> bool:
    try:
        load(configuration.encode())
    except ConfigurationError:
        return False
    return True


def keys(node: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every key that the schema has a property for, with its schema."""
    for definition in (node, *node["$defs"].values()):
        yield from definition.get("properties", {}).items()


def test_the_committed_schema_is_what_the_models_say() -> None:
    assert (ROOT / "docs/argosy.schema.json").read_text() == text(), "run make docs"


def test_it_is_a_schema() -> None:
    Draft202012Validator.check_schema(schema())


def test_every_key_is_described_for_editors() -> None:
    definitions = schema()["$defs"]
    names = [name for name, each in keys(schema()) if not ({"description"} & {*each} or _of(each, definitions))]
    assert names == []


def _of(property_: dict[str, Any], definitions: dict[str, Any]) -> str:
    return str(definitions.get(property_.get("$ref", "").rpartition("/")[2], {}).get("description", ""))


def test_a_key_has_the_name_that_it_has_in_the_file_and_no_other_is_taken() -> None:
    build = schema()["$defs"]["BuildConfig"]
    assert "from" in build["properties"]
    assert "from_" not in build["properties"]
    assert all(each["additionalProperties"] is False for each in (schema(), *schema()["$defs"].values()))


@pytest.mark.parametrize("file", ["examples/retail-store/argosy.yaml", "docs/configuration.md"])
def test_what_we_show_people_is_valid(file: str) -> None:
    shown = (ROOT / file).read_text()
    if file.endswith(".md"):
        shown = next(block for block in re.findall(r"```yaml\n(.*?)```", shown, re.DOTALL) if "version: 1" in block)
    assert list(VALIDATOR.iter_errors(Document(shown.encode(), file).data())) == []
    assert loads(shown)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("version: 1", "version: 1"),
        ("  ui: {}", "  ui:"),
        ("  ui: {}", "  ui: {build: , shared: [libs], filters: ['a/**', {added: '*.md'}]}"),
        ("  ui: {}", "  ui: {build: {args: , timeout: 5, from: [cart], contexts: {libs: libs}, resolve: true}}"),
        ("  ui: {}", "  ui: {path: }"),
        ("  ui: {}", "  ui: {path: ../a}"),
        ("  ui: {}", "  ui: {path: a/../b}"),
        ("  ui: {}", "  ui: {path: a..b/c}"),
        ("  ui: {}", "  ui: {path: /a}"),
        ("  ui: {}", "  ui: {path: '-a'}"),
        ("  ui: {}", "  ui: {path: ''}"),
        ("  ui: {}", "  ui: {pth: a}"),
        ("  ui: {}", "  Ui: {}"),
        ("  ui: {}", "  ui: {build: {args: {'A-B': x}}}"),
        ("  ui: {}", "  ui: {build: {args: {A: 1}}}"),
        ("  ui: {}", "  ui: {build: {timeout: 0}}"),
        ("  ui: {}", "  ui: {build: {platforms: linux/amd64}}"),
        ("  ui: {}", "  ui: {build: {from: [Base]}}"),
        ("version: 1", "version: 2"),
        ("version: 1", "version: '1'"),
        ("version: 1\n", ""),
        ("type: oci", "type: ecr"),
        ("type: oci, endpoint: \"registry.example:5000\"", "type: ecr, account_id: '123456789012', region: eu-west-1"),
        ("type: oci, endpoint: \"registry.example:5000\"", "type: oci"),
        ("services:\n  ui: {}\n  cart: {}\n", "services:\n"),
        ("source: {branch: main}", "source: "),
        ("source: {branch: main}", "source: {branch: a/b-c.d}"),
        ("source: {branch: main}", "source: {branch: refs//x}"),
        ("source: {branch: main}", "source: {branch: x.lock}"),
        ("source: {branch: main}", "source: {branch: 'a..b'}"),
        ("target: {branch: main}", "target: {branch: main, sign: gpg}"),
        ("target: {branch: main}", "target: {branch: main}\n    rollback: automatic"),
        ("target: {branch: main}", "target: {branch: main}\n    rollback: true"),
        ("target: {branch: main}", "target: {branch: main}\n    retry: {max_attempts: 0}"),
        ("target: {branch: main}", "target: {branch: main}\n    retry: {max_attempts: 2, initial_delay: 0}"),
        ("target: {branch: main}", "target: {branch: main}\n    breaker: {failures: 0}"),
        ("target: {branch: main}", "target: {branch: main}\n    breaker: {delay: -1}"),
        ("target: {branch: main}", "target: {branch: main}\n    breaker: {failures: 1, delay: 0.5}"),
    ],
)  # fmt: skip
def test_an_editor_takes_what_is_loaded_and_nothing_else(old: str, new: str) -> None:
    assert old in CONFIGURATION
    configuration = CONFIGURATION.replace(old, new, 1)
    assert valid(configuration) is loads(configuration)
