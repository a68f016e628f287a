"""Hostile names: no field of argosy.yaml, and no argument of a run, gets one past the door."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ruamel.yaml import YAML

from argosy.config import load
from argosy.environment import resolve
from argosy.errors import ConfigurationError, ExitCode, Terminal
from argosy.settings.text import problems, read
from tests.engine.shop import CONFIGURATION

ECR = '{type: ecr, account_id: "123456789012", region: eu-west-1, repository: "shop-{service}"}'
FULL = """\
version: 1
registry: {type: oci, endpoint: "registry.example:5000", repository: "shop-{service}"}
defaults: {path: "src/{service}", dockerfile: "{path}/Dockerfile", chart: "{path}/chart", build: {target: run}}
services:
  ui:
    path: src/ui
    dockerfile: src/ui/Dockerfile
    chart: src/ui/chart
    build: {context: src/ui, target: run, platforms: [linux/amd64]}
argocd: {application: "shop-{service}", project: shop}
environments:
  dev:
    source: {branch: main}
    target: {branch: main, values: values-dev.yaml}
    registry: {repository: "dev-{service}"}
    argocd: {application: "dev-{service}", project: shop}
    blocks: {aws: aws, registry: registry, argocd: argocd, docker: docker}
"""
HOSTILE = [
    "$(id)",
    "a;id",
    "`id`",
    "a|b",
    "a&b",
    "../../etc",
    "-rf",
    "--upload-pack=id",
    "a\nb",
    "a\x1b[31m",
    "a\0b",
    "",
    " ",
]
A_FILE_MAY_BE_CALLED = {"$(id)", "a;id", "`id`", "a|b", "a&b", " "}


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path to every string of a document."""
    if isinstance(value, dict):
        return [found for key, each in value.items() for found in places(each, (*path, key))]
    if isinstance(value, list):
        return [found for index, each in enumerate(value) for found in places(each, (*path, index))]
    return [path] if isinstance(value, str) else []


def with_value(path: tuple[Any, ...], value: str) -> bytes:
    document = YAML(typ="safe").load(FULL)
    node = document
    for part in path[:-1]:
        node = node[part]
    node[path[-1]] = value
    return json.dumps(document).encode()


def test_the_whole_document_is_right_before_it_is_spoilt() -> None:
    assert problems(FULL.encode()) == ()
    assert len(places(YAML(typ="safe").load(FULL))) == 25


@pytest.mark.parametrize("path", places(YAML(typ="safe").load(FULL)), ids=lambda path: ".".join(map(str, path)))
def test_a_hostile_value_is_refused_in_every_field(path: tuple[Any, ...]) -> None:
    is_path = path[-1] in {"path", "dockerfile", "chart", "context", "values"}
    for value in HOSTILE:
        if is_path and value in A_FILE_MAY_BE_CALLED:  # it reaches no shell, and is no option
            continue
        found = problems(with_value(path, value))
        assert found, f"{value!r} was taken"
        assert found[0].exit_code is ExitCode.WRONG
        assert found[0].remedy
        assert str(found[0]).isprintable()


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize("where", ["services", "environments"])
def test_a_hostile_key_is_refused(where: str, value: str) -> None:
    document = YAML(typ="safe").load(FULL)
    document[where][value] = next(iter(document[where].values()))
    found = problems(json.dumps(document).encode())
    assert found
    assert str(found[0]).isprintable()


@pytest.mark.parametrize("value", ["a\0b"])
@pytest.mark.parametrize("where", ["args", "labels"])
def test_what_no_argument_of_a_program_can_hold_is_refused(where: str, value: str) -> None:
    document = YAML(typ="safe").load(FULL)
    document["services"]["ui"]["build"][where] = {"A": value}
    assert problems(json.dumps(document).encode())


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_environment_or_service_in_a_request_is_none_that_is_known(name: str) -> None:
    configuration = load(CONFIGURATION.encode())
    with pytest.raises(ConfigurationError, match="it has dev, prod") as environment:
        resolve(configuration, name)
    with pytest.raises(ConfigurationError, match="it has ui, cart") as service:
        resolve(configuration, "dev").service(name)
    for error in (environment.value, service.value):
        assert "\x1b" not in str(error)
        assert "\0" not in str(error)


def test_an_escape_sequence_that_others_wrote_reaches_nobody() -> None:
    assert str(Terminal("it said \x1b]0;owned\x07, \r\n twice")) == "it said \\x1b]0;owned\\x07, \\r\n twice"


def test_every_contradiction_has_its_line_and_column_in_a_run_too() -> None:
    text = CONFIGURATION.replace(", values: values-dev.yaml", "").encode()
    with pytest.raises(ConfigurationError, match=r"^argosy.yaml:13:5: .* both write src/ui/chart/values.yaml on main"):
        read(text, "dev")


def test_all_that_is_wrong_is_told_at_once_the_misspelling_first() -> None:
    text = CONFIGURATION.replace("services:", "servises:").replace("version: 1", "version: '1'").encode()
    told = [str(error) for error in problems(text)]
    assert told[0].startswith("argosy.yaml:3:1: servises is not a known key (did you mean services?)")
    assert any(each.startswith("argosy.yaml:1:1: version is wrong") for each in told)
    assert all(error.remedy for error in problems(text))


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("  cart: {}", "  ui: {}", "argosy.yaml:5:3"),
        ("    target: {branch: main}", "    target: {branch: main, branch: dev}", "argosy.yaml:13:28"),
        ("version: 1", "version: 1\nversion: 1", "argosy.yaml:2:1"),
    ],
)
def test_a_key_that_stands_twice_is_named_where_it_stands_again(old: str, new: str, place: str) -> None:
    assert old in CONFIGURATION
    (error,) = problems(CONFIGURATION.replace(old, new).encode())
    assert str(error).startswith(place)


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("  ui: {}", "  ui: []", "argosy.yaml:4:3: services.ui is wrong"),
        ("  ui: {}", "  ui: {build: {timeout: soon}}", "argosy.yaml:4:16: services.ui.build.timeout is wrong"),
        ("version: 1", "version: '1'", "argosy.yaml:1:1: version is wrong"),
        ("source: {branch: main}", "source: {branch: 7}", "argosy.yaml:9:14: environments.dev.source.branch is wrong"),
    ],
)
def test_a_value_of_a_wrong_type_is_named_with_line_and_column(old: str, new: str, place: str) -> None:
    assert old in CONFIGURATION
    assert str(problems(CONFIGURATION.replace(old, new, 1).encode())[0]).startswith(place)
