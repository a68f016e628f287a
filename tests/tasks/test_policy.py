"""Which failures of a stage are tried again."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
from prefect import flow

from argosy.errors import CircuitOpen, ConfigurationError, Terminal, Transient
from argosy.processes import cancellation
from argosy.resilience import DEFAULT_RETRY, Retry
from tasks.policy import patient, stage

ATTEMPTS = 4

pytestmark = pytest.mark.usefixtures("prefect")


def attempts(*outcomes: Exception | str) -> tuple[object, int]:
    """What a stage comes to that fails or returns as `outcomes` say, one an attempt, and how many it took."""
    left: Iterator[Exception | str] = iter(outcomes)
    begun = 0

    @stage("probe", run_name="probe {name}")
    def probe(name: str) -> str:
        nonlocal begun
        begun += 1
        outcome = next(left)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    at_once = patient(probe, Retry(max_attempts=ATTEMPTS, initial_delay=0))

    @flow
    def run() -> object:
        return at_once("ui", return_state=True).result(raise_on_failure=False)

    return run(), begun


def test_what_may_pass_is_tried_again() -> None:
    assert attempts(Transient("the registry answered 503"), "done") == ("done", 2)


def test_what_does_not_pass_fails_after_the_last_attempt_with_its_own_words() -> None:
    found, begun = attempts(*(Transient(f"503, the {number}.", service="ui") for number in range(ATTEMPTS + 1)))
    assert isinstance(found, Transient)
    assert (str(found), begun) == (f"ui: 503, the {ATTEMPTS - 1}.", ATTEMPTS)


@pytest.mark.parametrize(
    "error", [Terminal("no"), CircuitOpen("no"), ConfigurationError("no", remedy="mend it"), ValueError("a bug")]
)
def test_what_will_not_pass_is_not_tried_again(error: Exception) -> None:
    found, begun = attempts(error, "done")
    assert (type(found), str(found), begun) == (type(error), str(error), 1)


def test_the_delays_grow_from_the_first() -> None:
    assert [Retry(initial_delay=5, backoff_factor=2).delay(attempt) for attempt in (1, 2, 3)] == [5, 10, 20]


def test_a_stage_is_tried_again_by_default() -> None:
    @stage("probe", run_name="probe")
    def probe() -> None: ...

    assert probe.retries == DEFAULT_RETRY.max_attempts - 1 > 0


def test_nothing_is_tried_again_once_the_run_is_to_end() -> None:
    begun: list[threading.Event] = []

    @stage("probe", run_name="probe")
    def probe() -> None:
        begun.append(threading.Event())
        failed.set()
        raise Transient("503")

    failed = threading.Event()

    @flow
    def run() -> None:
        with cancellation.scope():
            patient(probe, Retry(initial_delay=300)).submit()
            failed.wait()
            raise ValueError("the flow's own end")

    before = time.monotonic()
    with pytest.raises(ValueError, match="own end"):
        run()
    assert len(begun) == 1
    assert time.monotonic() - before < 60
