from __future__ import annotations

from typing import get_args

import pytest

from argosy.changes.filters import STATUSES, read, takes
from argosy.changes.service_filters import _NEEDED, KEYS, SERVICE_KEYS
from argosy.changes.service_filters import read as of_services
from argosy.config import Configuration
from argosy.errors import ConfigurationError
from argosy.globs import Quantifier
from argosy.settings.build import DefaultsConfig, ServiceConfig
from tests.engine.shop import CONFIGURATION


def taken(text: str, name: str, *paths: str, status: str = "modified", quantifier: Quantifier = "some") -> list[str]:
    """Those of `paths` that the filter `name` of the document takes."""
    rules = read(text.encode(), "filters.yaml")[name]
    return [path for path in paths if takes(rules, status, path, quantifier)]


def refused(text: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        read(text.encode(), "filters.yaml")
    assert caught.value.remedy
    return caught.value.message


def of_service(services: str, name: str = "ui", defaults: str = "") -> list[str]:
    """Which of a few paths count for a service of the shop whose services are written so."""
    text = CONFIGURATION.replace("services:\n  ui: {}\n  cart: {}\n", f"{defaults}services:\n{services}")
    rules = of_services(text.encode(), "argosy.yaml")[name]
    paths = ("src/ui/a", "src/ui", "src/uix/a", "src/cart/a", "libs/http/a", "go.mod", "README.md")
    return [path for path in paths if takes(rules, "modified", path, "some")]


def test_filters_are_globs_and_lists_of_them_however_deep() -> None:
    text = "one: src/*.js\nmany: [a, [b, [c]]]\nshared: &shared\n  - go.mod\nui:\n  - *shared\n  - src/ui/**\n"
    assert [*read(text.encode(), "f")] == ["one", "many", "shared", "ui"]
    assert taken(text, "one", "src/a.js", "src/a/b.js") == ["src/a.js"]
    assert taken(text, "many", "a", "b", "c", "d") == ["a", "b", "c"]
    assert taken(text, "ui", "go.mod", "src/ui/x", "src/x") == ["go.mod", "src/ui/x"]


def test_an_empty_list_takes_nothing_whatever_the_quantifier() -> None:
    for quantifier in get_args(Quantifier):
        assert taken("ui: []", "ui", "a", quantifier=quantifier) == []


@pytest.mark.parametrize(
    ("status", "paths"),
    [("added", ["a", "b"]), ("modified", ["b", "c"]), ("deleted", ["d", "e"]), ("unmerged", [])],
)
def test_a_filter_may_ask_for_the_status_of_a_file(status: str, paths: list[str]) -> None:
    text = "ui:\n  - added: a\n  - Added | modified: b\n    modified: [c]\n  - deleted: [d, [e]]\n"
    assert taken(text, "ui", *"abcde", status=status) == paths


def test_every_rule_must_take_a_file_under_every() -> None:
    text = "ui: ['src/**', '!**/*.md', {added: ['**/*.js', '**/*.go']}]"
    paths = ("src/a.js", "src/a.go", "src/a.md", "a.js")
    assert taken(text, "ui", *paths, status="added", quantifier="every") == ["src/a.js", "src/a.go"]
    assert taken(text, "ui", *paths, status="modified", quantifier="every") == []


def test_an_exclusion_of_another_status_takes_nothing_away() -> None:
    text = "ui: ['src/**', {deleted: '!**/*.md'}]"
    assert taken(text, "ui", "src/a.md", status="added", quantifier="some-with-excludes") == ["src/a.md"]
    assert taken(text, "ui", "src/a.md", status="deleted", quantifier="some-with-excludes") == []


def test_yaml_is_that_of_1_2_where_yes_and_on_are_words() -> None:
    assert taken("on: [yes, no]\noff: on", "on", "yes", "no", "true") == ["yes", "no"]
    assert "filters.yaml:1:5" in refused("on: true")


def test_keys_of_another_mapping_can_be_merged() -> None:
    text = "base: &base\n  added: a\nui:\n  - <<: *base\n    modified: b\n"
    assert taken(text, "ui", "a", "b", status="added") == ["a"]
    assert taken(text, "ui", "a", "b") == ["b"]
    assert taken(text.replace("modified: b", "added: c"), "ui", "a", "c", status="added") == ["c"]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("ui: a\nui: b\n", "2:1"),
        ("ui:\n  - added: a\n    added: b\n", "3:5"),
        ("ui: !custom a\n", "1:5"),
        ("ui:\n  - !!binary YQ==\n", "2:5"),
        ("!custom\nui: a\n", "1:1"),
        ("ui: !custom [a]\n", "1:5"),
        ("ui:\n  - 1\n", "2:5"),
        ("ui:\n", "1:4"),
        ("ui: ''\n", "1:5"),
        ("ui:\n  - a\n  - added: {b: c}\n", "3:12"),
        ("ui:\n  - addded: a\n", "2:5"),
        ("ui:\n  - 'added|': a\n", "2:5"),
        ("[a]: b\n", "1:1"),
        ("- a\n", "1:1"),
        ("ui: [a\n", "2:1"),
        ("ui: &ui [*ui]\n", "1:5"),
        ("a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\n"
         "d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\n", "1:"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_line(text: str, place: str) -> None:
    assert f"filters.yaml:{place}" in refused(text)


@pytest.mark.parametrize("text", ["", "# nothing\n"])
def test_no_document_is_none_without_filters(text: str) -> None:
    assert "no document" in refused(text)


def test_a_second_document_is_told_with_its_line() -> None:
    assert refused("a: b\n---\nc: d\n") == "filters.yaml:2:1: a second document begins"
    assert refused("a: b\n...\n# and\n---\nc: d\n---\n") == "filters.yaml:4:1: a second document begins"


def test_a_misspelt_status_names_the_right_one() -> None:
    with pytest.raises(ConfigurationError) as caught:
        read(b"ui: {modifed: a}", "f")
    assert caught.value.remedy == "did you mean modified?"


def test_a_service_is_about_its_own_folder_and_the_shared_paths() -> None:
    assert of_service("  ui: {}\n") == ["src/ui/a", "src/ui"]
    assert of_service("  ui:\n") == ["src/ui/a", "src/ui"]
    assert of_service("  ui: {shared: [go.mod]}\n", defaults="defaults: {shared: [libs/http/]}\n") == [
        "src/ui/a", "src/ui", "libs/http/a", "go.mod",
    ]  # fmt: skip
    assert of_service("  ui: {path: ./libs}\n") == ["libs/http/a"]
    assert of_service("  ui: {path: .}\n")[-1] == "README.md"


def test_filters_replace_what_a_service_is_about() -> None:
    defaults = "defaults: {filters: ['{path}/**', '{service,go}.mod'], shared: [README.md]}\n"
    assert of_service("  ui: {}\n", defaults=defaults) == ["src/ui/a", "src/ui", "go.mod"]
    assert of_service("  ui: {filters: ['*.md']}\n", defaults=defaults) == ["README.md"]
    assert of_service("  ui: {filters: [{modified: 'src/{service}x/**'}]}\n", defaults=defaults) == ["src/uix/a"]
    assert of_service("  ui: {filters: []}\n", defaults=defaults) == []


def test_a_folder_with_a_name_like_a_pattern_is_that_folder() -> None:
    rules = of_services(CONFIGURATION.replace("ui: {}", "ui: {path: 'src/[ui]'}").encode(), "argosy.yaml")["ui"]
    assert takes(rules, "added", "src/[ui]/a", "some")
    assert not takes(rules, "added", "src/u/a", "some")


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("  ui: {paht: x}\n", "argosy.yaml:4:8: services.ui.paht is not a known key"),
        ("  ui: {path: ../x}\n", "argosy.yaml:4:8: services.ui.path is wrong: must be a path inside the repository"),
        ("  ui: {path: 'src/{name}'}\n", "argosy.yaml:4:8: services.ui.path is wrong"),
        ("  ui: {filters: [{addded: x}]}\n", "argosy.yaml:4:19: addded is no status of a changed file"),
        ("  ui: {filters: [[x]]}\n", "argosy.yaml:4:"),
        ("  UI: {}\n", "argosy.yaml:4:3: services.UI is wrong"),
        ("  ui: {}\n  ui: {}\n", "argosy.yaml:5:3"),
        ("  ui: [\n", "argosy.yaml:"),
    ],
)
def test_a_wrong_configuration_is_told_as_ever(wrong: str, told: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        of_service(wrong)
    assert told in caught.value.message
    assert caught.value.remedy


def test_what_is_known_of_the_configuration_is_all_that_there_is() -> None:
    assert {*Configuration.model_fields} == KEYS
    assert {name for name, field in Configuration.model_fields.items() if field.is_required()} == _NEEDED
    assert {*ServiceConfig.model_fields} == {*DefaultsConfig.model_fields} == SERVICE_KEYS
    assert "modified" in STATUSES
