"""Rollback and holds as a person gives them: the command asks the server, and a worker's run writes to the target."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from argosy.holds.holds import FILE
from tests.e2e.store import ENVIRONMENT, SERVICES, Store

ROOT = Path(__file__).parents[2]


def argosy(store: Store, *words: str) -> str:
    """What the command says when it has followed its run to a good end."""
    auth = store.stack.prefect.auth
    given = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "PREFECT_API_URL": store.stack.prefect.api_url,
        "PREFECT_API_AUTH_STRING": auth.get_secret_value() if auth else "",
    }
    command = [sys.executable, "-m", "argosy", *words, "--environment", ENVIRONMENT]
    done = subprocess.run(
        command, cwd=store.stack.developer.path, env=given, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_what_is_rolled_back_stays_until_its_hold_is_lifted(adopted: Store) -> None:
    before = adopted.references()
    source = adopted.change("checkout")
    assert adopted.release().state == "COMPLETED"
    released = adopted.head
    argosy(adopted, "rollback", "checkout", "--reason", "it loses baskets")
    [rollback] = adopted.since(released)
    assert adopted.references() == before
    assert adopted.files(rollback) == {"src/checkout/chart/values.yaml", FILE}
    assert adopted.signed(rollback)
    assert "it loses baskets" in adopted.read(FILE)

    held = adopted.release()
    assert adopted.planned(held) == dict.fromkeys(SERVICES, "unchanged") | {"checkout": "held"}
    assert (held.state, adopted.head) == ("COMPLETED", rollback), held.message

    argosy(adopted, "hold", "checkout", "--lift")
    again = adopted.release()
    assert again.state == "COMPLETED", again.message
    assert (adopted.planned(again)["checkout"], adopted.builds(again)) == ("reuse", set())
    assert adopted.digest("checkout", adopted.references()["checkout"].tag) == adopted.digest("checkout", source)
