"""What the doctor says of charts that lie in a repository of their own: their clone, their server and their block."""

from __future__ import annotations

import uuid
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from argosy.doctor import blocks, git_servers, remotes
from argosy.doctor.examination import files
from argosy.doctor.findings import Level
from argosy.doctor.remotes import Given
from deployments.local.git_server import BOT, GitServer
from tests.engine.apart import Apart, values
from tests.engine.shop import Shop, run


@pytest.fixture
def apart(shop: Shop, tmp_path: Path) -> Apart:
    """A shop in whose repository are no charts."""
    apart = Apart(tmp_path, shop)
    files = ("values.yaml", "values-dev.yaml")
    apart.shop.commit("Move them", {f"src/{name}/chart/{each}": None for name in ("ui", "cart") for each in files})
    apart.charts.commit("Chart", {f"charts/{name}/Chart.yaml": "apiVersion: v2\n" for name in ("ui", "cart")})
    return apart


def test_charts_are_looked_for_in_their_clone_and_nowhere_else(apart: Apart) -> None:
    described = (apart.environment,)
    (praise,) = files(apart.shop.path, described, {None: apart.charts.path})
    assert praise.level is Level.GOOD
    (unseen,) = files(apart.shop.path, described, {"others": apart.charts.path})
    assert (unseen.level, "--target-repo" in unseen.remedy) == (Level.SKIPPED, True)
    apart.charts.commit("Lose them", {values("ui"): None, "charts/cart/Chart.yaml": None})
    found = files(apart.shop.path, described, {"charts": apart.charts.path})
    assert [(each.level, each.where) for each in found] == [
        (Level.WRONG, values("ui")),
        (Level.WRONG, "charts/cart/Chart.yaml"),
    ]


@pytest.mark.parametrize(
    ("branch", "receives", "level", "words"),
    [
        ("main", True, Level.GOOD, "read and push"),
        ("gitops", True, Level.WRONG, "has no branch gitops"),
        ("main", False, Level.WRONG, "write access"),
    ],
)
def test_the_server_of_the_charts_must_let_one_push_and_have_the_branch(
    apart: Apart, git_server: tuple[GitServer, SecretStr], branch: str, receives: bool, level: Level, words: str
) -> None:
    server, password = git_server
    name = f"charts-{uuid.uuid4().hex[:8]}"
    url = server.create(name, protected=())
    run("-C", str(apart.charts.path), "push", "-q", str(server.path(name)), "main")
    run("-C", str(server.path(name)), "config", "http.receivepack", str(receives).lower())
    given = Given(
        {"ARGOSY_TARGET_GIT_USERNAME": BOT, "ARGOSY_TARGET_GIT_PASSWORD": password.get_secret_value()}, seconds=10
    )
    described = replace(apart.environment, target_branch=branch)
    finding = git_servers.charts(given, described, url, "https://git.example/shop.git")
    assert (finding.level, words in f"{finding.why} {finding.remedy}") == (level, True), finding


def test_each_server_is_told_its_own_login_and_of_the_source_reading_is_enough(
    apart: Apart, git_server: tuple[GitServer, SecretStr]
) -> None:
    server, password = git_server
    source, charts = (server.create(f"{what}-{uuid.uuid4().hex[:8]}") for what in ("shop", "charts"))
    path = server.path(source.rpartition("/")[2].removesuffix(".git"))
    run("-C", str(path), "config", "http.receivepack", "false")
    given = Given({"ARGOSY_GIT_USERNAME": BOT, "ARGOSY_GIT_PASSWORD": password.get_secret_value()}, seconds=10)
    addresses = {"gitops-repository/charts": charts, "gitops-repository/shop": source}
    checks = remotes.checks(given, replace(apart.environment, watch=None), addresses, "", {"charts"})
    of_source, of_charts = (check() for check in checks[:2])
    assert (of_source.level, of_source.where) == (Level.GOOD, source)
    assert of_source.why == "answers, and lets these credentials read"
    assert (of_charts.where, "none were given" in of_charts.why) == (charts, True)


def test_a_block_of_what_is_released_itself_is_found(apart: Apart) -> None:
    same = git_servers.charts(Given({}), apart.environment, "https://Git.example/shop/", "https://git.example/shop.git")
    assert (same.level, "leave target.repository" in same.remedy) == (Level.WRONG, True)
    assert git_servers.charts(Given({}), apart.environment, None, "").level is Level.SKIPPED


def test_the_block_of_the_charts_needs_the_key_and_that_of_the_source_does_not(apart: Apart) -> None:
    described = replace(apart.environment, sign="ssh", mode="pull-request")
    deployments = [{"parameters": {"repository": "shop", "environment": "dev"}}]
    wanted = {each.name: each for each in blocks.wanted((described,), deployments) if each.kind == blocks.REPOSITORY}
    assert {name: [need.fields[0] for need in each.needs] for name, each in wanted.items()} == {
        "charts": ["signing_key", "token"],
        "shop": [],
    }
