"""What fails alone: the other services are released, and the next run does what is left."""

from __future__ import annotations

from tests.e2e.store import SERVICES, Store


def test_one_of_five_that_cannot_be_built_holds_up_no_other_and_is_released_once_mended(adopted: Store) -> None:
    file = "src/cart/Dockerfile"
    whole, before = adopted.read(file), adopted.references()
    others = set(SERVICES) - {"cart"}
    source = adopted.change(*SERVICES, **{file: f"{whole}RUN exit 7\n"})
    run = adopted.release()
    assert (run.state, run.state_name) == ("FAILED", "Failed")
    assert "cart: " in run.message
    assert "exit code: 7" in run.message
    assert [name for name in others if f"{name}: " in run.message] == []
    assert adopted.results(run) == dict.fromkeys(others, "healthy") | {"cart": "failed"}
    assert adopted.since(source) == [adopted.head]
    assert adopted.files(adopted.head) == {f"src/{name}/chart/values.yaml" for name in others}
    assert adopted.references()["cart"] == before["cart"]
    mended = adopted.change(**{file: whole})
    run = adopted.release()
    assert run.state == "COMPLETED", run.message
    assert adopted.planned(run) == dict.fromkeys(SERVICES, "unchanged") | {"cart": "build"}
    assert adopted.files(adopted.head) == {"src/cart/chart/values.yaml"}
    assert adopted.references()["cart"].tag == mended


def test_a_sync_that_failed_is_ordered_again_by_the_next_run(adopted: Store) -> None:
    source = adopted.change("checkout")
    with adopted.failing_syncs("checkout", "one or more objects failed to apply"):
        run = adopted.release()
    assert run.state == "FAILED"
    assert "checkout: the sync ended as Failed: one or more objects failed to apply" in run.message
    released = adopted.head
    run = adopted.release()
    assert run.state == "COMPLETED", run.message
    assert adopted.planned(run)["checkout"] == "unverified"
    assert adopted.head == released
    assert (adopted.references()["checkout"].tag, adopted.application("checkout").health_status) == (source, "Healthy")
