"""What a release does with what changed, and what it leaves alone."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from tests.deployments.waiting import soon
from tests.e2e.store import DEPLOYMENT, SERVICES, Store


def test_what_changed_is_built_in_one_commit_and_tagged_and_comes_back_unbuilt_and_nothing_else_is_touched(
    adopted: Store,
) -> None:
    before = adopted.references()
    earlier = {name: adopted.digest(name, reference.tag) for name, reference in before.items()}
    source = adopted.change("ui", "cart", **{"README.md": f"{uuid.uuid4()}\n"})
    run = adopted.release()
    assert run.state == "COMPLETED", run.message
    assert adopted.planned(run) == dict.fromkeys(SERVICES, "unchanged") | {"ui": "build", "cart": "build"}
    assert adopted.builds(run) == {"ui", "cart"}
    assert adopted.since(source) == [adopted.head]
    assert adopted.files(adopted.head) == {"src/ui/chart/values.yaml", "src/cart/chart/values.yaml"}
    new = {name: adopted.environment.image(adopted.environment.service(name), source) for name in ("ui", "cart")}
    assert adopted.references() == before | new
    assert adopted.results(run) == dict.fromkeys(SERVICES, "untouched") | {"ui": "healthy", "cart": "healthy"}
    now = adopted.digest("ui", source)
    assert now not in {None, earlier["ui"]}
    _tagged(adopted, "ui", {source: now, "latest": now, "deployed-prod": now, "previous-prod": earlier["ui"]})
    _tagged(adopted, "catalog", {"deployed-prod": earlier["catalog"]})

    reverted = adopted.revert(source)
    run = adopted.release()
    assert run.state == "COMPLETED", run.message
    assert adopted.planned(run) == dict.fromkeys(SERVICES, "unchanged") | {"ui": "reuse", "cart": "reuse"}
    assert adopted.builds(run) == set()
    assert adopted.references()["ui"].tag == reverted
    assert adopted.digest("ui", reverted) == earlier["ui"]
    assert adopted.since(reverted) == [adopted.head]
    _tagged(adopted, "ui", {"deployed-prod": earlier["ui"], "previous-prod": now})


def _tagged(store: Store, service: str, wanted: Mapping[str, str | None]) -> None:
    """See that the registry's tags point, soon, where they should."""
    soon(lambda: {tag: store.tags(service).get(tag) for tag in wanted}, wanted)


def test_a_second_release_of_the_same_finds_nothing_to_do(adopted: Store) -> None:
    before = adopted.refs
    run = adopted.release()
    assert (run.state, run.state_name, run.message) == ("COMPLETED", "Completed", "nothing to do")
    assert adopted.refs == before
    assert adopted.builds(run) == set()


def test_a_dry_run_writes_nothing(adopted: Store) -> None:
    source = adopted.change("catalog")
    refs, tags = adopted.refs, adopted.tags("catalog")
    run = adopted.release(dry_run=True)
    assert run.state == "COMPLETED", run.message
    assert adopted.planned(run) == dict.fromkeys(SERVICES, "unchanged") | {"catalog": "build"}
    assert adopted.results(run) == dict.fromkeys(SERVICES, "untouched") | {"catalog": "planned"}
    assert (adopted.refs, adopted.tags("catalog")) == (refs, tags)
    assert adopted.builds(run) == set()
    adopted.revert(source)  # so that the next test finds everything released


def test_one_idempotency_key_makes_one_run(adopted: Store) -> None:
    source, key = adopted.change("cart"), uuid.uuid4().hex
    first, again = (adopted.api.create_flow_run(DEPLOYMENT, {}, key) for _ in range(2))
    assert first.id == again.id
    assert adopted.api.wait(first.id).state == "COMPLETED"
    assert adopted.api.create_flow_run(DEPLOYMENT, {"dry_run": True}, key).id == first.id
    assert adopted.since(source) == [adopted.head]
