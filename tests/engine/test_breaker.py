"""When an endpoint is left alone, and how it comes back."""

from __future__ import annotations

import pickle
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from argosy.breaker import Breaker
from argosy.errors import CircuitOpen, ExitCode, Terminal, Transient, Unwell
from argosy.resilience import BreakerPolicy

ILL = Unwell("registry.example: 503")


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker("registry.example", BreakerPolicy(failures=3, delay=30), clock)


def call(breaker: Breaker, outcome: Exception | None = None) -> str:
    """What comes of a call that ends so."""
    try:
        with breaker.guard():
            if outcome is not None:
                raise outcome
    except CircuitOpen:
        return "refused"
    except (Transient, Terminal):
        return "failed"
    return "done"


def test_it_opens_after_so_many_failures_in_a_row(breaker: Breaker) -> None:
    outcomes = (ILL, ILL, None, ILL, ILL, ILL, None, ILL)
    seen = [call(breaker, outcome) for outcome in outcomes]
    assert seen == ["failed", "failed", "done", "failed", "failed", "failed", "refused", "refused"]


def test_while_it_is_open_a_call_says_so_at_once_and_why(breaker: Breaker) -> None:
    for _ in range(3):
        call(breaker, ILL)
    begun: list[str] = []
    said = pytest.raises(CircuitOpen, match=r"registry\.example is left alone; .* 503 \(.*30 s later")
    with said as refused, breaker.guard():
        begun.append("a call")
    assert not begun
    assert breaker.open
    with pytest.raises(CircuitOpen):
        breaker.check()
    assert not isinstance(refused.value, Transient), "Prefect would try it again"
    assert refused.value.exit_code is ExitCode.DOWN
    assert isinstance(pickle.loads(pickle.dumps(refused.value)), CircuitOpen)  # noqa: S301 - as Prefect keeps it


@pytest.mark.parametrize("error", [Terminal("403"), Transient("429"), ValueError("a bug"), KeyboardInterrupt()])
def test_what_is_no_illness_neither_counts_nor_helps(breaker: Breaker, error: BaseException) -> None:
    for outcome in (ILL, ILL, *[error] * 5):
        with pytest.raises(type(outcome)), breaker.guard():
            raise outcome
    assert not breaker.open
    assert (call(breaker, ILL), call(breaker)) == ("failed", "refused")


def test_after_the_delay_one_call_finds_out_and_closes_it(breaker: Breaker, clock: Clock) -> None:
    for _ in range(3):
        call(breaker, ILL)
    clock.now += 29
    assert call(breaker) == "refused"
    clock.now += 1
    assert [call(breaker), call(breaker, ILL), call(breaker, ILL), call(breaker)] == [
        "done",
        "failed",
        "failed",
        "done",
    ]


def test_a_call_that_finds_it_still_ill_opens_it_for_another_delay(breaker: Breaker, clock: Clock) -> None:
    for _ in range(3):
        call(breaker, ILL)
    clock.now += 31
    assert [call(breaker, ILL), call(breaker)] == ["failed", "refused"]
    clock.now += 29
    assert call(breaker) == "refused"
    clock.now += 1
    assert call(breaker) == "done"


def test_of_many_threads_one_finds_out_while_the_others_are_refused(breaker: Breaker, clock: Clock) -> None:
    for _ in range(3):
        call(breaker, ILL)
    clock.now += 30
    inside, go_on = threading.Event(), threading.Event()

    def probe() -> None:
        with breaker.guard():
            inside.set()
            assert go_on.wait(60)

    with ThreadPoolExecutor(1) as pool:
        probing = pool.submit(probe)
        assert inside.wait(60)
        assert [call(breaker) for _ in range(5)] == ["refused"] * 5
        go_on.set()
        probing.result()
    assert call(breaker) == "done"


def test_a_probe_that_ends_in_neither_leaves_the_next_call_to_find_out(breaker: Breaker, clock: Clock) -> None:
    for _ in range(3):
        call(breaker, ILL)
    clock.now += 30
    assert [call(breaker, Transient("429")), call(breaker)] == ["failed", "done"]


def test_calls_go_on_side_by_side(breaker: Breaker) -> None:
    together = threading.Barrier(8, timeout=60)

    def meet(_: int) -> None:
        with breaker.guard():
            together.wait()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(meet, range(8)))


def test_failures_of_many_threads_are_counted_together(breaker: Breaker) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: call(breaker, ILL), range(24)))
    assert breaker.open


def test_work_that_ends_in_a_push_is_counted_by_its_own_judge(breaker: Breaker) -> None:
    for _ in range(3):
        with pytest.raises(Transient), breaker.watch(lambda error: isinstance(error, Transient)):
            raise Transient("failed to push: connection refused")
    assert breaker.open
    with breaker.watch():  # it was begun before, and its end does not close what is open
        pass
    assert breaker.open
