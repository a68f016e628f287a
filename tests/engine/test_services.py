"""Services that are built from each other: their order, and what cannot be, each with its line."""

from __future__ import annotations

import sys
from types import FrameType

import pytest

from argosy.config import load
from argosy.environment import resolve
from argosy.errors import ConfigurationError
from argosy.settings.text import problems, read
from argosy.yaml_files.nodes import compose
from tests.engine.shop import CONFIGURATION


def shop(*lines: str, defaults: str = "") -> bytes:
    """The shop whose services are `lines`."""
    services = "".join(f"  {line}\n" for line in lines)
    return CONFIGURATION.replace("services:\n  ui: {}\n  cart: {}\n", f"{defaults}services:\n{services}").encode()


def refusal(text: bytes) -> str:
    with pytest.raises(ConfigurationError) as caught:
        read(text, "dev")
    assert [str(each) for each in problems(text)] == [str(caught.value)]
    return str(caught.value)


def test_a_service_has_what_it_is_built_from_whole_and_in_one_order() -> None:
    text = shop("ui: {build: {from: [base, assets]}}", "assets: {build: {from: [base]}}", "base: {path: images/base}")
    environment = read(text, "dev")
    ui, assets, base = environment.services
    assert (ui.dependencies, assets.dependencies, base.dependencies) == ((assets, base), (base,), ())
    assert base.dockerfile_path == "images/base/Dockerfile"


def test_a_service_that_needs_no_base_says_so_with_an_empty_list() -> None:
    text = shop("ui: {}", "base: {build: {from: []}}", defaults="defaults: {build: {from: [base]}}\n")
    ui, base = read(text, "dev").services
    assert (ui.dependencies, base.dependencies) == ((base,), ())


@pytest.mark.parametrize(
    ("services", "said"),
    [
        (["ui: {build: {from: [ui]}}"], "argosy.yaml:4:16: services.ui.build.from is wrong: ui -> ui: built from each"),
        (
            ["a: {}", "b: {build: {from: [c]}}", "c: {build: {from: [d]}}", "d: {build: {from: [b, a]}}"],
            "argosy.yaml:5:15: services.b.build.from is wrong: b -> c -> d -> b: built from each other in a circle",
        ),
        (
            ["a: {}", "ui:", "  build:", "    from:", "      - a", "      - x"],
            "argosy.yaml:9:11: services.ui.build.from.1 is wrong: ui is built from x, which is no service",
        ),
        (
            ["base: {}", "ui: {build: {contexts: {base: libs}, from: [base]}}"],
            "argosy.yaml:5:47: services.ui.build.from.0 is wrong: base is a context of ui and a service",
        ),
    ],
)  # fmt: skip
def test_what_no_service_can_be_built_from_is_named_with_its_place(services: list[str], said: str) -> None:
    assert said in refusal(shop(*services))


def test_a_base_or_context_of_the_defaults_is_named_where_it_stands() -> None:
    unknown = refusal(shop("ui: {}", defaults="defaults: {build: {from: [x]}}\n"))
    assert unknown.startswith("argosy.yaml:3:27: defaults.build.from.0 is wrong: ui is built from x")
    both = refusal(shop("a: {}", "ui: {build: {from: [a]}}", defaults="defaults: {build: {contexts: {a: libs}}}\n"))
    assert both.startswith("argosy.yaml:6:23: services.ui.build.from.0 is wrong: a is a context of ui")


def test_a_long_row_of_bases_is_no_trouble() -> None:
    lines = ["s0: {}", *(f"s{number}: {{build: {{from: [s{number - 1}]}}}}" for number in range(1, 3000))]
    last = read(shop(*lines), "dev").services[-1]
    assert last.dependencies[0].name == "s2998"


def steps(services: int, environments: int) -> int:
    """The function calls that it takes to read a shop of that size and resolve each of its environments."""
    rows = "".join(f"  e{n}: {{source: {{branch: m}}, target: {{branch: m, values: {n}.yaml}}}}\n"
                   for n in range(environments))  # fmt: skip
    text = shop(*(f"s{number}: {{build: {{args: {{A: x}}}}}}" for number in range(services))) + rows.encode()
    calls = 0

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in {"call", "c_call"}

    sys.setprofile(count)
    try:
        configuration = load(text)
        for name in configuration.environments:
            resolve(configuration, name)
    finally:
        sys.setprofile(None)
    return calls


def test_the_cost_grows_with_the_services_and_the_environments_and_no_faster() -> None:
    steps(5, 1)  # what is made once only
    assert steps(400, 1) < 4.4 * steps(100, 1)
    assert steps(100, 12) < 6.6 * steps(100, 2)


def test_a_text_is_parsed_once() -> None:
    text = shop(*(f"s{number}: {{}}" for number in range(50)), "ui: {build: {from: [x]}}")
    parses = 0

    def count(frame: FrameType, event: str, _argument: object) -> None:
        nonlocal parses
        parses += event == "call" and frame.f_code is compose.__code__

    sys.setprofile(count)
    try:
        with pytest.raises(ConfigurationError):
            read(text, "dev")
    finally:
        sys.setprofile(None)
    assert parses == 1
