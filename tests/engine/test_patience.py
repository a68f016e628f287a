"""Waiting between pushes that others beat: with full jitter, ever longer, and not for ever."""

from __future__ import annotations

from itertools import pairwise

import pytest

from argosy.gitops.patience import Pace, Patience


class Clock:
    """A clock that only waiting moves; waits are drawn at `share` of their ceilings."""

    def __init__(self, share: float = 1.0, each: float = 0.0) -> None:
        self.now, self.waits, self._each = 0.0, list[float](), each
        self.pace = Pace(self.read, self.sleep, lambda ceiling: ceiling * share)

    def read(self) -> float:
        self.now += self._each
        return self.now

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds


def test_each_wait_may_be_twice_as_long_as_the_one_before_up_to_the_longest() -> None:
    clock = Clock()
    attempts = list(clock.pace.attempts(Patience(7, initial_delay=0.5, max_delay=5.0)))
    assert (attempts, clock.waits) == ([1, 2, 3, 4, 5, 6, 7], [0.5, 1.0, 2.0, 4.0, 5.0, 5.0])


def test_no_attempt_begins_after_the_deadline_and_no_wait_is_begun_that_would_end_there() -> None:
    clock = Clock(each=1.0)
    attempts = list(clock.pace.attempts(Patience(100, initial_delay=1.0, max_delay=1.0, deadline=10.0)))
    assert attempts == [1, 2, 3, 4, 5, 6]
    assert len(clock.waits) == 5


def test_the_hundredth_wait_is_no_longer_than_the_longest() -> None:
    assert Patience(1000, initial_delay=0.1, max_delay=3.0).ceiling(1000) == 3.0


@pytest.mark.parametrize("attempts", [1, 2])
def test_nobody_waits_after_the_last_attempt(attempts: int) -> None:
    clock = Clock()
    assert list(clock.pace.attempts(Patience(attempts))) == list(range(1, attempts + 1))
    assert len(clock.waits) == attempts - 1


def test_two_who_were_beaten_at_one_moment_come_back_at_different_ones() -> None:
    draw = Pace().draw
    drawn = [draw(1.0) for _ in range(200)]
    assert all(0.0 <= each <= 1.0 for each in drawn)
    assert min(drawn) < 0.25
    assert max(drawn) > 0.75
    assert any(one != other for one, other in pairwise(drawn))
