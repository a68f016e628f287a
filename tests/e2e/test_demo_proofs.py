"""The demo's proofs: each holds where its claim is true, and fails loudly where the world is otherwise."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace

import pytest

from argosy.notes import ref as notes_ref
from deployments.local.aws import session
from deployments.local.demo import proofs
from deployments.local.demo.proofs import ClaimFalse, Release
from deployments.local.demo.story import report
from deployments.local.prefect_api import FlowRun
from tests.deployments.waiting import soon
from tests.e2e.store import BRANCH, ENVIRONMENT, SERVICES, Store

SOON = 0.5
TWIN = "twin"
CLAIMED = dict.fromkeys(SERVICES, ("unchanged", "untouched")) | dict.fromkeys(("ui", "cart"), ("build", "healthy"))


@dataclass(frozen=True)
class Told:
    """A release of two services, as the demo makes one."""

    store: Store
    source: str
    run: FlowRun
    release: Release


@pytest.fixture(scope="module")
def told(store: Store) -> Told:
    store.settle()
    source = store.change("ui", "cart")
    run = store.release()
    return Told(store, source, run, Release.at_head(store.stack, ENVIRONMENT))


@contextmanager
def on_top(store: Store) -> Iterator[None]:
    """Somebody's commit on top of the release."""
    released = store.head
    store.developer.commit("Somebody else's", {}, BRANCH)
    try:
        yield
    finally:
        store.origin.run("update-ref", f"refs/heads/{BRANCH}", released)
        soon(lambda: {store.application(name).revisions for name in SERVICES}, {(released,)})


@contextmanager
def amended(told: Told, **files: str) -> Iterator[Release]:
    """The release, had its commit had other `files`; it is not signed."""
    git = told.store.developer.git
    git("fetch", "--quiet", "origin", BRANCH)
    git("checkout", "--quiet", "-B", TWIN, told.release.commit)
    for name, text in files.items():
        (told.store.developer.path / name).write_text(text)
    git("commit", "--quiet", "--all", "--amend", "--no-edit", "--allow-empty", "--reset-author", "--no-gpg-sign")
    git("push", "--quiet", "origin", f"+HEAD:refs/heads/{TWIN}")
    try:
        yield replace(told.release, commit=git("rev-parse", "HEAD"))
    finally:
        told.store.origin.run("update-ref", "-d", f"refs/heads/{TWIN}")


def rows(told: Told) -> list[dict[str, str]]:
    with told.store.stack.api as api:
        return report(api, told.run, ENVIRONMENT)


def false(claim: str) -> pytest.RaisesExc[ClaimFalse]:
    return pytest.raises(ClaimFalse, match=f"false: .*{claim}")


def test_every_claim_holds_of_a_release_as_it_should_be(told: Told) -> None:
    release = told.release
    evidence = [
        proofs.came_to(rows(told), CLAIMED),
        proofs.releases(release, {"ui", "cart"}),
        proofs.one_commit(release, told.source),
        proofs.one_run(told.run, told.run),
        proofs.nothing_written(told.store.refs, told.store.refs),
        proofs.answers(release, "cart", "/cgi-bin/index.cgi", "The cart service."),
        *(proof(release) for proof in (proofs.signed, proofs.touches_references_only)),
        *(proof(release) for proof in (proofs.listed_in_ecr, proofs.healthy)),
    ]
    assert len({each.claim for each in evidence if each.seen}) == len(evidence)


def test_a_head_that_is_somebody_elses_commit_is_no_release(told: Told) -> None:
    with on_top(told.store), false("is a release commit"):
        Release.at_head(told.store.stack, ENVIRONMENT)


@pytest.mark.parametrize("services", [{"ui"}, {"ui", "cart", "orders"}, set(SERVICES)])
def test_too_many_or_too_few_services_are_seen(told: Told, services: set[str]) -> None:
    with false("services are released"):
        proofs.releases(told.release, services)


@pytest.mark.parametrize("came_to", [("build", "failed"), ("reuse", "healthy"), ("unchanged", "untouched")])
def test_a_report_of_something_else_is_seen(told: Told, came_to: tuple[str, str]) -> None:
    cart = {"service": "cart", "state": came_to[0], "result": came_to[1]}
    others = [row for row in rows(told) if row["service"] != "cart"]
    with false("2 are built, 3 are untouched"):
        proofs.came_to([*others, cart], CLAIMED)


def test_a_run_without_a_report_is_seen(told: Told) -> None:
    with false("2 are built"):
        proofs.came_to([], CLAIMED)


def test_a_second_commit_is_seen(told: Told) -> None:
    with on_top(told.store), false("one commit"):
        proofs.one_commit(told.release, told.source)


def test_a_second_run_is_seen(told: Told) -> None:
    with false("is one run"):
        proofs.one_run(told.run, replace(told.run, id="another"))


def test_a_run_that_wrote_something_is_seen(told: Told) -> None:
    before = told.store.refs
    with on_top(told.store), false("writes nothing"):
        proofs.nothing_written(before, told.store.refs)


def test_a_commit_without_a_signature_is_seen(told: Told) -> None:
    with amended(told) as release, false("is signed"):
        proofs.signed(release)


def test_a_signature_of_another_commit_is_seen(told: Told) -> None:
    origin = told.store.origin
    forged = origin.run("cat-file", "commit", told.release.commit).replace(b"Argosy-Run: ", b"Argosy-Run: 0")
    commit = origin.text("hash-object", "-t", "commit", "-w", "--stdin", data=forged)
    with false("is signed"):
        proofs.signed(replace(told.release, commit=commit))


EDITS: list[tuple[str, Callable[[str], str]]] = [
    ("README.md", lambda text: text + "\n"),
    ("src/orders/chart/values.yaml", lambda text: text + "# a comment\n"),
    ("src/ui/chart/values.yaml", lambda text: text + "# a comment\n" * 3),
    ("src/ui/chart/values.yaml", lambda text: text.replace("replicaCount: 1", "replicaCount: 9")),
    ("src/ui/chart/values.yaml", lambda text: text + "added: 1\n"),
]


@pytest.mark.parametrize(("file", "edit"), EDITS)
def test_a_commit_that_touches_more_is_seen(told: Told, file: str, edit: Callable[[str], str]) -> None:
    text = told.store.read(file)
    assert edit(text) != text
    with amended(told, **{file: edit(text)}) as release, false("touches only"):
        proofs.touches_references_only(release)


def test_a_tag_that_ecr_lacks_is_seen(told: Told) -> None:
    aws, repository = told.store.stack.aws, told.release.environment.service("ui").ecr_repository
    latest = told.store.digest("ui", "latest")
    with closing(session(aws.bridge_key).client("ecr", endpoint_url=aws.endpoint_url)) as bridge:
        bridge.batch_delete_image(repositoryName=repository, imageIds=[{"imageTag": "latest"}])
        try:
            with false("describe_images"):
                proofs.listed_in_ecr(told.release, patience=SOON)
        finally:
            [image] = told.store.ecr.batch_get_image(
                repositoryName=repository, imageIds=[{"imageDigest": latest or ""}]
            )["images"]
            manifest = {"imageManifest": image["imageManifest"], "imageDigest": latest or ""}
            told.store.ecr.put_image(repositoryName=repository, imageTag="latest", **manifest)
    proofs.listed_in_ecr(told.release)


def test_a_container_that_says_something_else_is_seen(told: Told) -> None:
    with false("cart's pushed image.*seen: The cart service"):
        proofs.answers(told.release, "cart", "/cgi-bin/index.cgi", "The spring sale is on", patience=SOON)


def test_an_application_that_is_not_healthy_is_seen(told: Told) -> None:
    store = told.store
    with store.hanging("ui"):
        soon(lambda: store.application("ui").health_status, "Progressing")
        with false("Synced and Healthy"):
            proofs.healthy(told.release)
    soon(lambda: store.application("ui").health_status, "Healthy")


def test_an_application_at_another_revision_is_seen(told: Told) -> None:
    with false("Synced and Healthy"):
        proofs.healthy(replace(told.release, commit=told.source))


def test_a_verdict_that_is_not_on_record_is_seen(told: Told) -> None:
    ref = notes_ref(ENVIRONMENT)
    notes = told.store.origin.ref(ref) or ""
    told.store.origin.run("update-ref", "-d", ref)
    try:
        with false("seen: no healthy note for "):
            proofs.healthy(told.release)
    finally:
        told.store.origin.run("update-ref", ref, notes)
