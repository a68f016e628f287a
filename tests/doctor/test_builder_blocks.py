"""Which blocks builds need, by where an environment builds and what its services mount."""

import pytest

from argosy.config import load
from argosy.doctor.blocks import wanted
from argosy.environment import resolve
from tests.engine.shop import CONFIGURATION

DEV = "    target: {branch: main, values: values-dev.yaml}\n"


@pytest.mark.parametrize(
    ("builder", "blocks"),
    [
        ("{}", {("docker-host", "argosy-dev-docker")}),
        ("{name: fleet}", set()),
        ("{address: 'tcp://build.example:1', tls: fleet}", {("buildkit-tls", "fleet")}),
    ],
)
def test_what_a_run_will_load_is_what_is_looked_for(builder: str, blocks: set[tuple[str, str]]) -> None:
    text = CONFIGURATION.replace(DEV, f"{DEV}    builder: {builder}\n")
    text = text.replace("  ui: {}", "  ui: {build: {secrets: {npm: token}, ssh: key}}")
    found = {(each.kind, each.name) for each in wanted([resolve(load(text.encode()), "dev")], [])}
    others = {("container-registry", "argosy-dev-registry"), ("argocd-server", "argosy-dev-argocd")}
    assert found - others == blocks | {("secret", "token"), ("secret", "key")}
