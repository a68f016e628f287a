"""The stand-in's state machine, look by look."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from deployments.local.argocd.state import Health, Orders, Pull, Rendered, Seen, State, Timing, advance

START = datetime(2026, 3, 1, 10, tzinfo=UTC)
TIMING = Timing(operation=2, settling=1, progress_deadline=10)
FIRST = Rendered("a" * 40, "one", "registry/ui:1", ("registry/ui:1",))
SAME = replace(FIRST, revision="b" * 40)
NEXT = Rendered("c" * 40, "two", "registry/ui:2", ("registry/ui:2",))


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def after(state: State, seen: Seen, *seconds: float) -> State:
    """The state after looks that all see the same, at these times."""
    for each in seconds:
        state = advance(state, seen, TIMING, at(each))
    return state


def healthy() -> State:
    """FIRST, applied at second 2 and healthy by second 5."""
    state = after(State(), Seen(FIRST), 0, 2, 3)
    return after(state, Seen(FIRST, pull=Pull(at(3))), 5)


def test_the_first_look_finds_it_out_of_sync_and_begins_a_sync() -> None:
    state = advance(State(), Seen(FIRST), TIMING, at(0))
    assert (state.sync_status, state.health.status) == ("OutOfSync", "Missing")
    assert state.operation is not None
    assert state.operation.running


def test_a_sync_takes_its_time_and_is_looked_at_only_after_its_end() -> None:
    begun = after(State(), Seen(FIRST), 0, 1)
    assert begun.operation is not None
    assert begun.operation.running
    ended = after(begun, Seen(FIRST), 2)
    assert ended.operation is not None
    assert ended.operation.phase == "Succeeded"
    assert ended.sync_status == "OutOfSync"
    assert ended.reconciled == at(0)
    assert after(ended, Seen(FIRST), 2.1).sync_status == "Synced"


def test_it_is_healthy_only_once_its_image_is_pulled_and_settled() -> None:
    state = after(State(), Seen(FIRST), 0, 2, 3)
    assert state.health.status == "Progressing"
    pulled = Seen(FIRST, pull=Pull(at(4)))
    assert after(state, pulled, 4.5).health.status == "Progressing"
    assert after(state, pulled, 5).health.status == "Healthy"


def test_a_pull_that_fails_is_progressing_until_the_deadline_and_degraded_after() -> None:
    state = after(State(), Seen(FIRST), 0, 2)
    failing = Seen(FIRST, pull=Pull(at(3), "not found"))
    before, late = after(state, failing, 11.9), after(state, failing, 12)
    assert (before.health.status, late.health.status) == ("Progressing", "Degraded")
    assert "not found" in before.health.message
    assert after(late, Seen(FIRST, pull=Pull(at(20))), 21).health.status == "Healthy"


def test_a_revision_with_the_same_manifests_is_compared_and_not_applied() -> None:
    before = healthy()
    state = after(before, Seen(SAME, pull=Pull(at(3))), 9, 10)
    assert state == replace(before, compared=SAME, reconciled=at(9))
    assert state.sync_status == "Synced"


def test_nothing_changes_where_nothing_happens() -> None:
    state = healthy()
    assert after(state, Seen(FIRST, pull=Pull(at(3))), 20, 30) == state


def test_a_refresh_is_a_look_even_where_nothing_happens() -> None:
    assert after(healthy(), Seen(FIRST, pull=Pull(at(3)), refresh=True), 20).reconciled == at(20)


def test_a_new_rollout_keeps_its_history() -> None:
    state = after(healthy(), Seen(NEXT, pull=Pull(at(3))), 6, 8)
    assert [line.revision for line in state.history] == [FIRST.revision, NEXT.revision]
    assert state.rollout == 2


def test_without_auto_sync_nothing_is_applied_until_it_is_ordered() -> None:
    seen = Seen(FIRST, automated=False)
    state = after(State(), seen, 0, 5)
    assert state.operation is None
    ordered = after(replace(state, requested=FIRST), seen, 6, 8, 9)
    assert (ordered.applied, ordered.requested) == (FIRST, None)


def test_a_sync_that_changes_nothing_rolls_nothing_out_and_is_looked_at_after_its_end() -> None:
    pulled = Seen(FIRST, pull=Pull(at(3)))
    state = after(replace(healthy(), requested=FIRST), pulled, 10, 12, 12.1)
    assert (state.rollout, state.health.status, len(state.history)) == (1, "Healthy", 2)
    assert state.reconciled == at(12.1)


def test_auto_sync_does_not_try_a_revision_again_on_which_it_failed() -> None:
    failing = Seen(FIRST, orders=Orders(failing="no"))
    failed = after(State(), failing, 0, 2)
    assert failed.operation is not None
    assert (failed.operation.phase, failed.operation.message) == ("Failed", "no")
    assert after(failed, Seen(FIRST), 3, 4).operation == failed.operation
    other = after(failed, Seen(SAME), 3, 5)
    assert other.applied == SAME


def test_a_lock_is_an_operation_that_ends_with_it() -> None:
    pulled = Seen(FIRST, pull=Pull(at(3)))
    locked = after(healthy(), replace(pulled, orders=Orders(locked=True)), 6, 60)
    assert locked.busy
    assert not after(locked, pulled, 61).busy


@pytest.mark.parametrize(
    ("orders", "health"),
    [
        (Orders(degraded="broken"), Health("Degraded", "broken")),
        (Orders(degraded="broken", degraded_image="ui:1"), Health("Degraded", "broken")),
        (Orders(degraded="broken", degraded_image="ui:2"), Health("Healthy")),
    ],
)
def test_an_order_to_degrade_may_be_for_one_image(orders: Orders, health: Health) -> None:
    assert after(healthy(), Seen(FIRST, pull=Pull(at(3)), orders=orders), 6).health == health


def test_an_order_to_hang_keeps_it_progressing() -> None:
    pulled = Seen(FIRST, pull=Pull(at(3)))
    assert after(healthy(), replace(pulled, orders=Orders(hanging=True)), 600).health.status == "Progressing"


def test_what_cannot_be_rendered_is_unknown_and_keeps_running() -> None:
    state = after(healthy(), Seen(None, error="no chart", pull=Pull(at(3))), 6)
    assert (state.sync_status, state.error, state.health.status) == ("Unknown", "no chart", "Healthy")
