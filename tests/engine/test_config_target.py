"""`target.repository` and `target.chart`: where the charts of an environment lie when they lie apart."""

from __future__ import annotations

import pytest

from argosy.environment import Environment
from argosy.errors import ConfigurationError
from argosy.settings.text import read
from tests.engine.shop import CONFIGURATION

PROD = "    target: {branch: main}\n"


def described(target: str, name: str = "prod", services: str = "  ui: {}") -> Environment:
    text = CONFIGURATION.replace(PROD, f"    target: {{branch: main, {target}}}\n").replace("  ui: {}", services)
    return read(text.encode(), name)


@pytest.mark.parametrize(
    ("target", "chart"),
    [
        ("repository: charts", "src/ui/chart"),
        ('repository: charts, chart: "charts/{service}"', "charts/ui"),
        ('repository: charts, chart: "./shop/{path}/"', "shop/src/ui"),
    ],
)
def test_a_chart_that_lies_apart_keeps_its_place_in_the_source(target: str, chart: str) -> None:
    found = described(target)
    ui = found.service("ui")
    assert (found.target_repository, found.writes_to_source) == ("charts", False)
    assert (ui.chart_path, ui.released_chart, ui.values_path) == ("src/ui/chart", chart, f"{chart}/values.yaml")


def test_what_one_environment_writes_elsewhere_is_not_written_here_for_any() -> None:
    assert described("repository: charts", "dev").written == described("repository: charts").written
    assert described("repository: charts").written == {"src/ui/chart/values-dev.yaml", "src/cart/chart/values-dev.yaml"}


def test_two_environments_may_write_one_path_in_two_repositories_and_not_in_one() -> None:
    assert described("repository: charts, values: values-dev.yaml").target_repository == "charts"
    text = CONFIGURATION.replace("{branch: main, values: values-dev.yaml}", "{branch: main, repository: charts}")
    with pytest.raises(ConfigurationError, match=r"both write src/ui/chart/values.yaml on main"):
        read(text.replace(PROD, "    target: {branch: main, repository: charts}\n").encode(), "dev")


def test_services_that_come_to_one_chart_there_are_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"^argosy.yaml:13:5: .* both write charts/values.yaml on main"):
        described("repository: charts, chart: charts")


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ('chart: "charts/{service}"', r"^argosy.yaml:13:28: .*in target.chart, and no repository"),
        ("repository: charts, chart: ../elsewhere", "inside the repository"),
        ('repository: charts, chart: "{environment}"', "stands for nothing"),
        ("repository: Charts_2", "repository"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_place(target: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        described(target)
