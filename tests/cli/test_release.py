"""`argosy release` as a process, against a real Prefect server; the runs that it starts are ended by hand."""

from __future__ import annotations

import json
from typing import Any

import pytest
from prefect.client.schemas.objects import State
from prefect.states import Cancelled, Completed, Failed

from tests.cli.process import argosy, spoken
from tests.cli.server import Server

SHA = "a" * 40


def test_what_was_asked_for_is_what_the_run_is_given_and_the_rest_is_left_to_the_deployment(server: Server) -> None:
    words = ["ui", "--head", SHA, "--adopt", "--force", "cart", "--dry-run", "--detach", "--json"]
    done = server.ask("release", *words)
    assert done.returncode == 0, done.stderr
    [run] = server.runs("release")
    assert spoken(done)["run"] == str(run.id)
    assert run.parameters == {
        "environment": server.name,
        "source_sha": SHA,
        "services": ["ui"],
        "adopt": True,
        "dry_run": True,
        "force": ["cart"],
        "trigger": {"type": "manual"},
    }
    server.ask("release", "--detach")
    newest = max(server.runs("release"), key=lambda each: str(each.created))
    assert newest.parameters == {"environment": server.name, "trigger": {"type": "manual"}}


def test_the_same_key_again_starts_no_second_run(server: Server) -> None:
    found = {spoken(server.ask("release", "--detach", "--json", "--key", "one"))["run"] for _ in range(2)}
    assert len(found) == len(server.runs("release")) == 1
    server.ask("release", "--detach")
    assert len(server.runs("release")) == 2


@pytest.mark.parametrize(
    ("state", "words", "code"),
    [
        (Completed(message="ui released to dev"), [], 0),
        (Completed(message="nothing to do"), [], 0),
        (Completed(message="nothing to do"), ["--exit-code"], 3),
        (Failed(message="ui: no Dockerfile"), [], 1),
        (Failed(name="Refused", message="ui: its image is vulnerable"), [], 4),
        (Failed(name="Wrong use", message="there is no service uii"), [], 2),
        (Cancelled(message="enough"), [], 1),
    ],
)
def test_a_run_is_followed_to_its_end_which_is_the_commands(
    server: Server, state: State[Any], words: list[str], code: int
) -> None:
    done = server.follow(state, "release", *words)
    assert done.returncode == code, done.stderr
    assert (state.message or "?") in done.stdout


def test_how_a_run_ended_is_one_object_for_programs(server: Server) -> None:
    done = server.follow(Failed(message="ui: no Dockerfile"), "release", "--json")
    said = json.loads(done.stdout)
    assert (said["state"], said["name"], said["message"]) == ("FAILED", "Failed", "ui: no Dockerfile")
    assert said["run"] in {str(run.id) for run in server.runs("release")}


def test_an_abbreviated_commit_is_refused_before_anything_is_asked(server: Server) -> None:
    done = server.ask("release", "--head", "abc123")
    assert (done.returncode, server.runs("release")) == (2, [])
    assert "full commit SHA" in done.stderr


def test_a_deployment_that_is_not_there_is_named_with_those_that_are(server: Server) -> None:
    done = argosy("release", "--environment", "nowhere", PREFECT_API_URL=server.url)
    assert done.returncode == 2
    assert "no deployment release/nowhere" in done.stderr
    assert f"release/{server.name}" in done.stderr


def test_a_server_that_is_down_ends_in_five(server: Server) -> None:
    done = argosy("release", "--environment", "dev", PREFECT_API_URL="http://127.0.0.1:1/api")
    assert done.returncode == 5
    assert argosy("release", "--environment", "dev").returncode == 2
