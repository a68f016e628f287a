"""Every setting of an environment, and the line that it comes from."""

from __future__ import annotations

import pytest

from argosy.config import loaded
from argosy.errors import ConfigurationError
from argosy.settings.effective import Origin, Setting
from argosy.settings.text import settings
from argosy.yaml_files.positions import Document

TEXT = """\
version: 1
registry: {type: oci, endpoint: "registry.example:5000", repository: "shop-{service}"}
defaults:
  chart: charts/{service}
  shared: [libs]
  build:
    args: {A: "1", B: "1"}
services:
  ui: &ui
    path: web
    shared: [proto]
    filters: ["web/**", added: "*.md"]
    build:
      args: {B: "2"}
      timeout: 60
  cart:
    <<: *ui
    path: cart
argocd: {application: "shop-{service}"}
environments:
  dev:
    source: {branch: main}
    target: {branch: main, values: dev.yaml}
    registry: {repository: "dev-{service}"}
    argocd: {application: "dev-{service}", timeout: 5}
    retry: {max_attempts: 5}
    blocks: {aws: mine}
    rollback: automatic
    charts: {render_check: off}
  prod:
    source: {branch: main}
    target: {branch: main}
"""


def found(environment: str, text: str = TEXT) -> dict[str, Setting]:
    document = Document(text.encode(), "argosy.yaml")
    return {each.key: each for each in settings(document, loaded(document), environment)}


@pytest.mark.parametrize(
    ("environment", "key", "value", "origin", "line"),
    [
        ("dev", "source.branch", "main", Origin.OWN, 22),
        ("dev", "target.values", "dev.yaml", Origin.OWN, 23),
        ("prod", "target.values", "values.yaml", Origin.BUILT_IN, None),
        ("dev", "registry.endpoint", "registry.example:5000", Origin.OWN, 2),
        ("dev", "argocd.timeout", 5.0, Origin.OWN, 25),
        ("dev", "argocd.stable_for", 10.0, Origin.BUILT_IN, None),
        ("prod", "argocd.timeout", 600.0, Origin.BUILT_IN, None),
        ("dev", "retry.max_attempts", 5, Origin.OWN, 26),
        ("dev", "retry.initial_delay", 5.0, Origin.BUILT_IN, None),
        ("dev", "breaker.failures", 3, Origin.BUILT_IN, None),
        ("dev", "blocks.aws", "mine", Origin.OWN, 27),
        ("dev", "rollback", "automatic", Origin.OWN, 28),
        ("dev", "charts.render_check", "off", Origin.OWN, 29),
        ("prod", "charts.render_check", "auto", Origin.BUILT_IN, None),
        ("prod", "rollback", "manual", Origin.BUILT_IN, None),
        ("dev", "blocks.docker", "argosy-dev-docker", Origin.BUILT_IN, None),
        ("dev", "services.ui.path", "web", Origin.OWN, 10),
        ("dev", "services.ui.dockerfile", "web/Dockerfile", Origin.BUILT_IN, None),
        ("dev", "services.ui.chart", "charts/ui", Origin.DEFAULTS, 4),
        ("dev", "services.ui.values", "charts/ui/dev.yaml", Origin.OWN, 23),
        ("dev", "services.ui.repository", "dev-ui", Origin.OWN, 24),
        ("prod", "services.ui.repository", "shop-ui", Origin.DEFAULTS, 2),
        ("dev", "services.ui.application", "dev-ui", Origin.OWN, 25),
        ("prod", "services.ui.application", "shop-ui", Origin.DEFAULTS, 19),
        ("dev", "services.ui.shared", ["libs", "proto"], Origin.OWN, 11),
        ("dev", "services.ui.filters", ["web/**", {"added": "*.md"}], Origin.OWN, 12),
        ("dev", "services.ui.build.args.A", "1", Origin.DEFAULTS, 7),
        ("dev", "services.ui.build.args.B", "2", Origin.OWN, 14),
        ("dev", "services.ui.build.timeout", 60.0, Origin.OWN, 15),
        ("dev", "services.ui.build.target", None, Origin.BUILT_IN, None),
        ("dev", "services.cart.path", "cart", Origin.OWN, 18),
        ("dev", "services.cart.build.timeout", 60.0, Origin.OWN, 15),
    ],
)
def test_a_setting_is_told_with_what_it_comes_to_and_its_line(
    environment: str, key: str, value: object, origin: Origin, line: int | None
) -> None:
    assert found(environment)[key] == Setting(key, value, origin, line)  # type: ignore[arg-type] # any value is


def test_without_argo_cd_there_is_nothing_to_say_of_it() -> None:
    without = TEXT.replace('argocd: {application: "shop-{service}"}\n', "")
    assert not any("argocd" in key and "blocks" not in key for key in found("prod", without))
    assert "services.ui.application" not in found("prod", without)


def test_what_contradicts_itself_has_no_effective_settings() -> None:
    with pytest.raises(ConfigurationError, match=r"^argosy.yaml:24:16: environments.dev.registry.repository is wrong"):
        found("dev", TEXT.replace('"dev-{service}"}\n    argocd', '"dev"}\n    argocd'))
