"""`argosy status` as a process: what a clone and Argo CD say of an environment."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from argosy.holds import holds
from tests.cli.process import argosy, spoken
from tests.engine.argocd_documents import document
from tests.engine.planning import verify
from tests.engine.shop import Shop
from tests.engine.web import Answer, Request, served

HOLD = (
    "  - {service: cart, environment: dev, reason: it loses baskets, who: Ada Lovelace,"
    " since: '2026-11-24T12:00:00Z', until: '2999-01-01T00:00:00Z'}\n"
)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """Both services are released, ui is verified, and cart is held."""
    shop = Shop.opened(tmp_path)
    source = shop.head
    for name in ("ui", "cart"):
        shop.release(name, source)
    verify(shop, "ui", source)
    shop.commit("Hold", {holds.FILE: f"holds:\n{HOLD}"})
    return shop


def test_what_is_held_comes_first_and_each_service_says_what_runs_and_whether_it_was_seen_healthy(shop: Shop) -> None:
    done = argosy("status", "--environment", "dev", "--json", cwd=shop.path)
    assert (done.returncode, done.stderr) == (0, "")
    found = spoken(done)
    assert (list(found["services"]), found["noted"], found["failures"]) == (["cart", "ui"], True, {})
    cart, ui = found["services"].values()
    source = shop.run("rev-parse", "HEAD~3")
    assert ui == {
        "reference": f"registry.example:5000/shop-ui:{source}",
        "source": source,
        "content": shop.digests().desired(shop.head)["ui"].hex,
        "manifest": f"sha256:{'a' * 64}",
        "sync": None,
        "health": None,
        "revision": None,
        "trouble": None,
        "verified": True,
        "hold": None,
    }
    assert (cart["verified"], cart["hold"]["reason"], cart["hold"]["who"]) == (
        False,
        "it loses baskets",
        "Ada Lovelace",
    )
    assert cart["hold"]["until"] == "2999-01-01T00:00:00+00:00"


def test_people_read_a_table_with_the_hold_and_short_names(shop: Shop) -> None:
    done = argosy("status", "--environment", "dev", cwd=shop.path)
    rows = [line.split() for line in done.stdout.splitlines() if line.strip()]
    source = shop.run("rev-parse", "HEAD~3")
    assert [row[0] for row in rows[1:4]] == ["service", "cart", "ui"]
    assert rows[3][:2] == ["ui", source[:12]]
    assert "it loses baskets (Ada Lovelace, 2026-11-24, until 2999-01-01T00:00)" in done.stdout


def test_a_clone_without_notes_says_how_they_are_had(shop: Shop) -> None:
    shop.run("update-ref", "-d", "refs/notes/argosy/dev")
    done = argosy("status", "--environment", "dev", cwd=shop.path)
    assert "no notes of verification" in done.stdout
    assert "git fetch origin" in argosy("status", "--help").stdout


def test_sync_and_health_are_argo_cds_and_one_that_does_not_answer_hides_nothing_else(shop: Shop) -> None:
    def answer(request: Request) -> Answer:
        if request.headers.get("authorization") != "Bearer it-is-me":
            return Answer(401, body=b'{"message": "invalid session"}')
        if "shop-cart" in request.path:
            return Answer(503)
        degraded = document(health={"status": "Degraded"}, sync={"status": "OutOfSync", "revision": "b" * 40})
        return Answer(200, body=json.dumps(degraded).encode())

    with served(answer) as host:
        words = ["status", "--environment", "dev", "--json"]
        down = argosy(*words, cwd=shop.path, ARGOCD_SERVER=f"http://{host}", ARGOCD_AUTH_TOKEN="it-is-me")
        refused = argosy(*words, cwd=shop.path, ARGOCD_SERVER=f"http://{host}", ARGOCD_AUTH_TOKEN="another")
        nobody = argosy(*words, cwd=shop.path, ARGOCD_SERVER=f"http://{host}")
    cart, ui = spoken(down)["services"].values()
    assert (down.returncode, ui["sync"], ui["health"], ui["revision"]) == (5, "OutOfSync", "Degraded", "b" * 40)
    assert (cart["health"], "503" in cart["trouble"], cart["hold"]["who"]) == (None, True, "Ada Lovelace")
    assert (refused.returncode, "401" in spoken(refused)["services"]["ui"]["trouble"]) == (0, True)
    assert (nobody.returncode, "it-is-me" in down.stdout + down.stderr) == (2, False)


def test_a_service_that_cannot_be_read_is_a_failure_beside_the_others(shop: Shop) -> None:
    shop.commit("Drop", {"src/ui/chart/values-dev.yaml": None})
    done = argosy("status", "--environment", "dev", "--json", cwd=shop.path)
    found = spoken(done)
    assert (done.returncode, list(found["services"]), list(found["failures"])) == (1, ["cart"], ["ui"])
