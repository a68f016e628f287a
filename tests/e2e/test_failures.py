"""What fails alone: the other services are released, and the next run does what is left."""

from __future__ import annotations

from tests.e2e.store import SERVICES, Store


def test_what_cannot_be_built_and_what_cannot_be_synced_hold_up_no_other_and_the_next_run_does_what_is_left(
    adopted: Store,
) -> None:
    file = "src/cart/Dockerfile"
    whole, before = adopted.read(file), adopted.references()
    others = set(SERVICES) - {"cart"}
    source = adopted.change(*SERVICES, **{file: f"{whole}RUN exit 7\n"})
    with adopted.failing_syncs("checkout", "one or more objects failed to apply"):
        run = adopted.release()
    assert (run.state, run.state_name) == ("FAILED", "Failed")
    assert "cart: " in run.message
    assert "exit code: 7" in run.message
    assert "checkout: the sync ended as Failed: one or more objects failed to apply" in run.message
    well = others - {"checkout"}
    assert [name for name in well if f"{name}: " in run.message] == []
    assert adopted.results(run) == dict.fromkeys(well, "healthy") | {"cart": "failed", "checkout": "failed"}
    assert adopted.since(source) == [adopted.head]
    assert adopted.files(adopted.head) == {f"src/{name}/chart/values.yaml" for name in others}
    assert adopted.references()["cart"] == before["cart"]
    mended = adopted.change(**{file: whole})
    run = adopted.release()
    assert run.state == "COMPLETED", run.message
    assert adopted.planned(run) == dict.fromkeys(SERVICES, "unchanged") | {"cart": "build", "checkout": "unverified"}
    assert adopted.files(adopted.head) == {"src/cart/chart/values.yaml"}
    assert {adopted.references()[name].tag for name in others} == {source}
    assert adopted.references()["cart"].tag == mended
    assert adopted.application("checkout").health_status == "Healthy"
