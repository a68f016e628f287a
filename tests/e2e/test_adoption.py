"""How an environment that somebody else released comes into Argosy's hands."""

from __future__ import annotations

from argosy import trailers
from argosy.notes import Verified
from tests.e2e.store import ENVIRONMENT, SERVICES, Store


def test_before_adoption_a_run_writes_nothing_and_says_so_loudly(unadopted: Store) -> None:
    before, tags = unadopted.refs, {name: unadopted.digest(name, unadopted.head) for name in SERVICES}
    run = unadopted.release()
    assert (run.state, run.state_name) == ("COMPLETED", "Adoption needed")
    assert set(unadopted.planned(run).values()) == {"unknown"}
    assert unadopted.refs == before
    assert tags == dict.fromkeys(SERVICES) == {name: unadopted.digest(name, unadopted.head) for name in SERVICES}


def test_adoption_builds_every_service_and_writes_one_signed_commit(unadopted: Store) -> None:
    store, source = unadopted, unadopted.head
    run = store.release(adopt=True)
    assert (run.state, run.state_name) == ("COMPLETED", "Completed"), run.message
    assert store.builds(run) == set(SERVICES)
    assert store.since(source) == [store.head]
    assert store.signed(store.head)
    assert not store.signed(source)
    assert store.files(store.head) == {f"src/{name}/chart/values.yaml" for name in SERVICES}
    records = trailers.records(store.origin, store.head, ENVIRONMENT)
    assert {(each.service, each.source_sha, each.commit) for each in records} == {
        (name, source, store.head) for name in SERVICES
    }
    assert {each.service: each.manifest_digest for each in records} == {
        name: store.digest(name, source) for name in SERVICES
    }


def test_adoption_ends_with_every_service_healthy_and_on_record(adopted: Store) -> None:
    references = adopted.references()
    assert {Verified(name, references[name]) for name in SERVICES} <= adopted.verified()
    for name in SERVICES:
        application = adopted.application(name)
        assert (application.sync_status, application.health_status) == ("Synced", "Healthy")
        assert application.revisions == (adopted.head,)
        assert str(references[name]) in application.images
