from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tasks.recent import Recent


class Source:
    """Makes a new number at each call."""

    def __init__(self) -> None:
        self.made = 0

    def __call__(self) -> int:
        self.made += 1
        return self.made


def test_threads_that_ask_at_once_share_one_value() -> None:
    recent, make, together = Recent(60), Source(), threading.Barrier(4, timeout=10)

    def ask(_: int) -> int:
        together.wait()
        return recent.get("key", make)

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(ask, range(4))) == [1, 1, 1, 1]


def test_a_value_that_is_too_old_is_made_anew() -> None:
    now = [100.0]
    recent, make = Recent(60, clock=lambda: now[0]), Source()
    seen = []
    for moment in (100.0, 159.0, 161.0):
        now[0] = moment
        seen.append(recent.get("key", make))
    assert seen == [1, 1, 2]


def test_each_key_has_a_value_of_its_own() -> None:
    recent, make = Recent(60), Source()
    assert [recent.get(key, make) for key in ("a", "b", "a")] == [1, 2, 1]


def test_a_failure_is_not_kept() -> None:
    recent = Recent(60)
    with pytest.raises(ZeroDivisionError):
        recent.get("key", lambda: 1 // 0)
    assert recent.get("key", lambda: 7) == 7
