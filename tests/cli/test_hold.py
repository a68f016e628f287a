"""`argosy hold` as a process, against a real Prefect server."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from tests.cli.process import argosy, spoken
from tests.cli.server import Server


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    for words in (["init", "-q"], ["config", "user.name", "Ada Lovelace"]):
        subprocess.run(["git", "-C", str(tmp_path), *words], check=True)
    return tmp_path


def test_a_hold_is_asked_for_in_the_name_of_who_gives_the_command(server: Server, repository: Path) -> None:
    words = ["ui", "cart", "--reason", "it loses baskets", "--until", "2h", "--content", "--detach", "--json"]
    done = server.ask("hold", *words, cwd=repository)
    assert done.returncode == 0, done.stderr
    [run] = server.runs("hold")
    until = datetime.fromisoformat(run.parameters.pop("until"))
    assert abs(until - datetime.now(UTC) - timedelta(hours=2)) < timedelta(minutes=10)
    assert spoken(done)["run"] == str(run.id)
    assert run.parameters == {
        "environment": server.name,
        "services": ["ui", "cart"],
        "reason": "it loses baskets",
        "who": "Ada Lovelace",
        "content": True,
    }


def test_a_hold_without_more_is_on_the_service_until_it_is_lifted(server: Server) -> None:
    assert server.ask("hold", "ui", "--reason", "x", "--detach").returncode == 0
    assert server.newest("hold").parameters.keys() == {"environment", "services", "reason", "who", "content"}
    assert server.newest("hold").parameters["content"] is False
    assert server.ask("hold", "ui", "--lift", "--detach").returncode == 0
    assert server.newest("hold").parameters == {"environment": server.name, "services": ["ui"], "lift": True}


def test_a_hold_ends_as_its_run_does(server: Server) -> None:
    done = server.follow(Completed(message="ui held in dev"), "hold", "ui", "--reason", "x")
    assert (done.returncode, "ui held in dev" in done.stdout) == (0, True)
    refused: State[Any] = Failed(name="Wrong use", message="argosy.yaml has no service uii")
    assert server.follow(refused, "hold", "uii", "--reason", "x").returncode == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["ui"], "needs a reason"),
        (["--reason", "x"], "SERVICE"),
        (["ui", "--reason", "x", "--until", "tomorrow"], "is no time"),
        (["ui", "--reason", "x", "--until", "2020-01-01T00:00:00Z"], "is past"),
        (["ui", "--reason", "x", "--content", "--whatever"], "not allowed with"),
        (["ui", "--lift", "--reason", "x"], "has no reason"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_asked(words: list[str], said: str) -> None:
    done = argosy("hold", "--environment", "dev", *words, PREFECT_API_URL="http://127.0.0.1:1/api")
    assert (done.returncode, said in done.stderr) == (2, True), done.stderr


def test_the_only_environment_need_not_be_named_and_one_of_several_must(tmp_path: Path) -> None:
    described = """\
version: 1
registry: {type: oci, endpoint: "registry.example:5000", repository: "shop-{service}"}
services: {ui: {}}
environments:
  dev: {source: {branch: main}, target: {branch: main}}
"""
    (tmp_path / "argosy.yaml").write_text(described)
    down = argosy("hold", "ui", "--reason", "x", cwd=tmp_path, PREFECT_API_URL="http://127.0.0.1:1/api")
    assert down.returncode == 5, down.stderr
    second = "  prod: {source: {branch: main}, target: {branch: prod}}\n"
    (tmp_path / "argosy.yaml").write_text(described + second)
    done = argosy("hold", "ui", "--reason", "x", cwd=tmp_path)
    assert (done.returncode, "dev, prod" in done.stderr) == (2, True), done.stderr
