"""`argosy rollback` as a process, against a real Prefect server."""

from __future__ import annotations

import pytest
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from tests.cli.process import argosy
from tests.cli.server import Server

SHA = "a" * 40


def test_a_rollback_is_asked_for_with_its_reason_and_where_to(server: Server) -> None:
    words = ["ui", "cart", "--reason", "it loses baskets", "--detach"]
    assert server.ask("rollback", *words).returncode == 0
    asked = server.newest("rollback").parameters
    assert asked.pop("who")
    assert asked == {"environment": server.name, "services": ["ui", "cart"], "reason": "it loses baskets"}
    server.ask("rollback", *words, "--to", SHA)
    assert server.newest("rollback").parameters["to"] == SHA


@pytest.mark.parametrize(
    ("state", "code"),
    [
        (Completed(message="ui rolled back in dev"), 0),
        (Failed(message="ui: degraded"), 1),
        (Failed(name="Wrong use", message="ui: x is no release of it in dev"), 2),
        (Failed(name="Refused", message="ui: that release is held"), 4),
    ],
)
def test_a_rollback_ends_as_its_run_does(server: Server, state: State[None], code: int) -> None:
    done = server.follow(state, "rollback", "ui", "--reason", "x")
    assert (done.returncode, (state.message or "?") in done.stdout) == (code, True)


@pytest.mark.parametrize("words", [["ui"], ["--reason", "x"], []])
def test_a_rollback_without_services_or_a_reason_is_refused(words: list[str]) -> None:
    assert argosy("rollback", "--environment", "dev", *words).returncode == 2
