"""A run that is told to end does so at once, and a build that hangs is ended: neither leaves anything behind."""

from __future__ import annotations

import uuid

from tests.chaos.faults import Underway, until
from tests.chaos.soundness import assert_nothing_left, assert_sound
from tests.e2e.store import SERVICES, Store

_SECONDS = 5.0
"""How long a run may take to end once its process has the signal."""
_POLL_SECONDS = 1.0
"""How long its worker may take to hear that it was cancelled."""


def test_a_build_that_hangs_meets_its_timeout_and_is_gone_and_the_others_are_released(adopted: Store) -> None:
    mark, docker, config = uuid.uuid4().hex, "src/ui/Dockerfile", "argosy.yaml"
    whole, patient = adopted.read(docker), adopted.read(config)
    hurried = patient.replace("  ui:\n    build:\n", "  ui:\n    build:\n      timeout: 15\n")
    source = adopted.change("ui", "cart", **{docker: f"{whole}RUN sleep 600; : {mark}\n", config: hurried})
    run = Underway.begin(adopted)
    until(lambda: run.building(mark))
    started = run.process.children(recursive=True)
    ended = run.end()
    assert ended.state == "FAILED"
    assert "ui: Docker build failure: the build was ended after 15 s" in ended.message
    assert adopted.results(ended) == dict.fromkeys(SERVICES, "untouched") | {"cart": "healthy", "ui": "failed"}
    run.gone(started)
    until(lambda: not run.building(mark), seconds=5)
    assert adopted.since(source) == [adopted.head]
    adopted.change(**{docker: whole, config: patient})


def test_a_run_that_is_cancelled_while_it_builds_or_terminated_while_it_verifies_ends_at_once(adopted: Store) -> None:
    mark, file = uuid.uuid4().hex, "src/orders/Dockerfile"
    whole = adopted.read(file)
    source = adopted.change("orders", "cart", **{file: f"{whole}RUN sleep 600; : {mark}\n"})
    cancelled = Underway.begin(adopted)
    until(lambda: cancelled.building(mark))
    assert cancelled.cancelled() < _SECONDS + _POLL_SECONDS
    assert cancelled.end().state == "CANCELLED"
    until(lambda: not cancelled.building(mark), seconds=5)
    assert adopted.head == source
    mended = adopted.change(**{file: whole})
    with adopted.hanging("orders"):
        terminated = Underway.begin(adopted)
        until(lambda: any(each.name == "verify orders" for each in adopted.api.task_runs(terminated.id)))
        assert terminated.terminated() < _SECONDS
        assert terminated.end().state == "CRASHED"
    last = adopted.release()
    assert last.state == "COMPLETED", last.message
    assert adopted.planned(last)["orders"] == "unverified"
    assert_sound(adopted, mended)
    assert_nothing_left(adopted)
