"""What a release is said to have come to, from one look and from many."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from argosy.argocd.applications import Application, parse
from argosy.argocd.judgement import Expected, Relation, judge, needs_order, relation
from argosy.argocd.verification import Subject, watch
from argosy.errors import Terminal, Transient
from argosy.models import Health, ImageReference, Verdict
from tests.engine.argocd_documents import IMAGE, LATER, OLDER, OURS, document, operation

REFERENCE = ImageReference(IMAGE, OURS)
CARRIED = Expected("ui", REFERENCE, Relation.CARRIES, Relation.CARRIES)
OTHER_IMAGES = {"images": [f"{IMAGE}:{OLDER}"]}
PLACES = {OURS: Relation.CARRIES, LATER: Relation.SUPERSEDED}
DEGRADED = {"status": "Degraded", "message": "it crashed"}


def judged(expected: Expected = CARRIED, **status: Any) -> Verdict:
    return judge(parse(document(**status)), expected)


def test_synced_applied_looked_at_and_healthy_is_healthy() -> None:
    verdict = judged()
    assert verdict.health is Health.HEALTHY
    assert (verdict.service, verdict.reference, verdict.revision) == ("ui", REFERENCE, OURS)


def test_a_revision_from_before_the_release_is_waited_for_however_healthy_it_is() -> None:
    verdict = judged(replace(CARRIED, compared=Relation.BEFORE))
    assert verdict.health is Health.WAITING
    assert "does not carry the release yet" in verdict.reason


def test_a_revision_from_before_the_release_does_not_count_as_degraded() -> None:
    assert judged(replace(CARRIED, compared=Relation.BEFORE), health=DEGRADED).health is Health.WAITING


def test_a_revision_that_carries_another_reference_supersedes() -> None:
    assert judged(replace(CARRIED, compared=Relation.SUPERSEDED), health=DEGRADED).health is Health.SUPERSEDED


@pytest.mark.parametrize("status", ["OutOfSync", "Unknown"])
def test_what_is_not_synced_is_waited_for(status: str) -> None:
    verdict = judged(sync={"status": status, "revision": OURS})
    assert verdict.health is Health.WAITING
    assert status in verdict.reason


def test_out_of_sync_without_auto_sync_says_who_has_to_act() -> None:
    application = replace(parse(document(sync={"status": "OutOfSync", "revision": OURS})), automated=False)
    assert "somebody has to sync it" in judge(application, CARRIED).reason


@pytest.mark.parametrize("phase", ["Running", "Terminating"])
def test_a_running_operation_is_waited_for_though_all_is_synced_and_healthy(phase: str) -> None:
    assert judged(operationState=operation(phase)).health is Health.WAITING


def test_argo_cds_own_retries_are_waited_for_and_quoted() -> None:
    retrying = operation("Running", message="one task failed. Retrying attempt #2 at 10:01AM.")
    verdict = judged(operationState=retrying)
    assert verdict.health is Health.WAITING
    assert "Retrying attempt #2" in verdict.reason


def test_an_operation_that_was_ordered_is_waited_for_though_the_last_one_failed() -> None:
    application = replace(parse(document(operationState=operation("Failed"))), requested=True)
    assert judge(application, CARRIED).health is Health.WAITING


@pytest.mark.parametrize("phase", ["Failed", "Error"])
@pytest.mark.parametrize("sync", ["Synced", "OutOfSync"])
def test_an_operation_that_failed_on_the_release_fails_it_with_its_message(phase: str, sync: str) -> None:
    failed = operation(phase, message="one or more tasks failed (retried 5 times)")
    verdict = judged(operationState=failed, sync={"status": sync, "revision": OURS})
    assert verdict.health is Health.FAILED
    assert "retried 5 times" in verdict.reason


def test_an_operation_that_failed_before_the_release_does_not_fail_it() -> None:
    before = replace(CARRIED, applied=Relation.BEFORE)
    verdict = judged(before, operationState=operation("Failed", OLDER), sync={"status": "OutOfSync"})
    assert verdict.health is Health.WAITING


def test_health_from_before_the_end_of_the_sync_does_not_count() -> None:
    assert judged(reconciledAt="2026-03-01T10:00:09Z").health is Health.WAITING
    assert judged(reconciledAt=None).health is Health.WAITING
    assert judged(reconciledAt="2026-03-01T10:00:10Z").health is Health.HEALTHY


def test_synced_without_an_operation_on_the_release_counts_only_if_the_image_runs() -> None:
    before = replace(CARRIED, applied=Relation.BEFORE)
    older = operation(revision=OLDER)
    assert judged(before, operationState=older, summary=OTHER_IMAGES).health is Health.WAITING
    assert judged(before, operationState=older).health is Health.HEALTHY
    pinned = {"images": [f"{IMAGE}:{OURS}@sha256:{'a' * 64}"]}
    assert judged(before, operationState=older, summary=pinned).health is Health.HEALTHY
    assert judged(before, operationState=None).health is Health.HEALTHY


@pytest.mark.parametrize("status", ["Progressing", "Suspended", "Missing", "Unknown"])
def test_every_health_that_may_still_change_is_waited_for(status: str) -> None:
    verdict = judged(health={"status": status, "message": "0 of 1 replicas"})
    assert verdict.health is Health.WAITING
    assert "0 of 1 replicas" in verdict.reason


def test_becoming_degraded_is_a_failure() -> None:
    verdict = judged(health=DEGRADED)
    assert verdict.health is Health.DEGRADED
    assert "it crashed" in verdict.reason


def test_staying_degraded_is_not() -> None:
    assert judged(replace(CARRIED, degraded_before=True), health=DEGRADED).health is Health.WAITING


def test_an_error_of_the_comparison_is_told() -> None:
    conditions = [{"type": "ComparisonError", "message": "chart not found"}]
    verdict = judged(sync={"status": "Unknown", "revision": OURS}, conditions=conditions)
    assert "chart not found" in verdict.reason


def test_of_several_sources_the_one_that_is_ours_decides() -> None:
    places = PLACES | {OLDER: Relation.BEFORE}
    assert relation((OLDER, OURS), places.__getitem__) is Relation.CARRIES
    assert relation((LATER, OURS), places.__getitem__) is Relation.SUPERSEDED
    assert relation((), places.__getitem__) is Relation.BEFORE


@pytest.mark.parametrize("phase", ["Failed", "Error"])
def test_a_sync_of_the_release_that_failed_needs_an_order(phase: str) -> None:
    assert needs_order(parse(document(operationState=operation(phase))), CARRIED)


def test_no_order_is_needed_while_argo_cd_is_at_work_or_for_what_is_not_ours() -> None:
    failed = parse(document(operationState=operation("Failed")))
    for phase in ("Running", "Terminating", "Succeeded"):
        assert not needs_order(parse(document(operationState=operation(phase))), CARRIED)
    assert not needs_order(parse(document(operationState=None)), CARRIED)
    assert not needs_order(replace(failed, requested=True), CARRIED)
    assert not needs_order(failed, replace(CARRIED, applied=Relation.BEFORE))
    assert not needs_order(failed, replace(CARRIED, compared=Relation.SUPERSEDED))


class Scripted:
    """A server whose looks are written down, the last for ever, and the clock that its watcher goes by."""

    def __init__(self, *looks: Application | Exception, complaints: tuple[str, ...] | Exception = ()) -> None:
        self.looks: Iterator[Application | Exception] = iter(looks)
        self.last: Application | Exception = looks[-1]
        self.words = complaints
        self.now = 1000.0
        self.refreshed: list[float] = []
        self.ordered: list[float] = []

    def application(self, name: str, project: str | None = None, *, refresh: bool = False) -> Application:
        assert (name, project) == ("retail-store-ui", "retail-store")
        if refresh:
            self.refreshed.append(self.now - 1000)
        look = next(self.looks, self.last)
        if isinstance(look, Exception):
            raise look
        return look

    def complaints(self, name: str, project: str | None = None) -> tuple[str, ...]:
        if isinstance(self.words, Exception):
            raise self.words
        return self.words

    def sync(self, name: str, project: str | None = None) -> Application:
        assert (name, project) == ("retail-store-ui", "retail-store")
        self.ordered.append(self.seconds)
        return replace(at(), requested=True)

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def watched(self, *, timeout: float = 60.0, stable_for: float = 0.0, before: bool | None = None) -> Verdict:
        return watch(
            self,
            Subject("ui", REFERENCE, "retail-store-ui", "retail-store"),
            lambda sha: PLACES.get(sha, Relation.BEFORE),
            clock=lambda: self.now,
            sleep=self.sleep,
            timeout=timeout,
            stable_for=stable_for,
            degraded_before=before,
        )

    @property
    def seconds(self) -> float:
        return self.now - 1000


def at(revision: str = OURS, health: str = "Healthy", **status: Any) -> Application:
    sync = {"status": "Synced", "revision": revision}
    return parse(document(sync=sync, health={"status": health}, **status))


def test_a_watch_goes_on_until_the_release_is_healthy() -> None:
    server = Scripted(at(OLDER), at(health="Progressing"), at())
    assert server.watched().health is Health.HEALTHY
    assert server.seconds == 0.5 + 1


def test_looks_are_frequent_at_first_and_then_every_two_seconds() -> None:
    server = Scripted(*[at(health="Progressing")] * 6, at())
    assert server.watched().health is Health.HEALTHY
    assert server.seconds == 0.5 + 1 + 2 + 2 + 2 + 2


def test_health_is_waited_for_no_longer_than_it_must_hold() -> None:
    server = Scripted(at())
    assert server.watched(stable_for=4).health is Health.HEALTHY
    assert server.seconds == 4


def test_health_must_hold_and_a_dip_begins_the_wait_anew() -> None:
    dip = at(health="Progressing")
    server = Scripted(at(), at(), at(), dip, at())
    assert server.watched(stable_for=5).health is Health.HEALTHY
    assert server.seconds == 5.5 + 5


def test_a_release_that_is_superseded_while_it_settles_is_said_to_be() -> None:
    server = Scripted(at(), at(LATER))
    assert server.watched(stable_for=30).health is Health.SUPERSEDED


def test_degraded_before_the_release_is_borne_until_it_recovers() -> None:
    server = Scripted(at(OLDER, "Degraded"), at(health="Degraded"), at())
    assert server.watched().health is Health.HEALTHY


def test_degraded_at_first_sight_while_the_sync_still_runs_was_so_before() -> None:
    server = Scripted(at(health="Degraded", operationState=operation("Running")), at(health="Degraded"), at())
    assert server.watched().health is Health.HEALTHY


def test_degraded_again_after_a_recovery_is_a_failure() -> None:
    server = Scripted(at(OLDER, "Degraded"), at(health="Progressing"), at(health="Degraded"))
    assert server.watched().health is Health.DEGRADED
    assert server.seconds == 1.5


def test_healthy_before_and_degraded_after_is_a_failure_at_once() -> None:
    server = Scripted(at(OLDER), at(health="Degraded"))
    assert server.watched().health is Health.DEGRADED
    assert server.seconds == 0.5


def test_what_the_caller_knows_from_before_counts() -> None:
    assert Scripted(at(health="Degraded")).watched().health is Health.DEGRADED
    still = at(health="Degraded")
    assert Scripted(still, still, still, at()).watched(before=True).health is Health.HEALTHY


def test_a_timeout_fails_and_says_what_was_waited_for_last() -> None:
    server = Scripted(at(OLDER), at(health="Progressing"))
    verdict = server.watched(timeout=9)
    assert verdict.health is Health.FAILED
    assert "it is Progressing" in verdict.reason
    assert verdict.revision == OURS
    assert server.seconds == 9


def test_a_timeout_while_health_settles_says_so() -> None:
    assert "30 s of health" in Scripted(at()).watched(timeout=9, stable_for=30).reason


def test_a_sync_that_failed_before_the_watch_is_ordered_again() -> None:
    server = Scripted(Transient("503"), at(operationState=operation("Failed")), at())
    assert server.watched().health is Health.HEALTHY
    assert server.ordered == [0.5]


def test_a_sync_that_fails_again_after_the_order_fails_the_release() -> None:
    failed = at(operationState=operation("Failed", message="one or more objects failed to apply"))
    server = Scripted(failed, failed)
    verdict = server.watched()
    assert verdict.health is Health.FAILED
    assert "one or more objects failed to apply" in verdict.reason
    assert server.ordered == [0]


def test_a_sync_that_fails_under_the_watch_is_not_ordered_again() -> None:
    server = Scripted(at(operationState=operation("Running")), at(operationState=operation("Failed")))
    assert server.watched().health is Health.FAILED
    assert server.ordered == []


def test_passing_errors_are_borne() -> None:
    server = Scripted(Transient("503"), at(OLDER), Transient("503"), at())
    assert server.watched().health is Health.HEALTHY


def test_an_error_is_no_dip_but_health_is_not_declared_upon_one() -> None:
    server = Scripted(at(), Transient("503"), Transient("503"), Transient("503"), at())
    assert server.watched(stable_for=5).health is Health.HEALTHY
    assert server.seconds == 5


def test_passing_errors_that_do_not_pass_are_named_at_the_timeout() -> None:
    verdict = Scripted(at(OLDER), Transient("Argo CD answered 503")).watched(timeout=9)
    assert verdict.health is Health.FAILED
    assert "does not carry the release yet" in verdict.reason
    assert "Argo CD answered 503" in verdict.reason


def test_what_no_waiting_mends_ends_the_watch_and_names_the_service() -> None:
    with pytest.raises(Terminal, match=r"ui: .*403.*make a new one") as caught:
        Scripted(Terminal("answered 403", remedy="make a new one")).watched()
    assert caught.value.service == "ui"


def test_a_refresh_is_asked_for_at_first_and_then_seldom() -> None:
    server = Scripted(at(OLDER))
    server.watched(timeout=40)
    assert server.refreshed == [0, 15.5, 31.5]


def test_a_failure_quotes_the_resources_that_are_to_blame() -> None:
    words = ("Pod ui-5d8: Back-off pulling image",)
    assert "Back-off pulling" in Scripted(at(health="Degraded"), complaints=words).watched().reason
    assert Scripted(at(health="Degraded"), complaints=Transient("503")).watched().health is Health.DEGRADED


def test_what_is_said_already_is_not_quoted_again() -> None:
    degraded = parse(document(health=DEGRADED))
    verdict = Scripted(degraded, complaints=("Deployment ui: it crashed", "Pod ui-5d8: exit code 1")).watched()
    assert verdict.reason == "it became Degraded: it crashed; Pod ui-5d8: exit code 1"
