"""How many builds go on at once."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

import pytest

from argosy.builds.slots import Slots
from argosy.processes import cancellation
from argosy.processes.cancellation import Cancelled


def test_never_more_work_at_once_than_there_are_places() -> None:
    slots, lock, at_once, most = Slots(), threading.Lock(), 0, 0

    def work(_number: int) -> None:
        nonlocal at_once, most
        with slots.one("run", 2):
            with lock:
                at_once += 1
                most = max(most, at_once)
            time.sleep(0.05)
            with lock:
                at_once -= 1

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(6)))
    assert most == 2


def test_another_name_and_no_bound_wait_for_nobody() -> None:
    slots = Slots()
    with slots.one("run", 1), slots.one("other", 1), slots.one("run", None):
        pass


def test_a_place_is_given_back_by_work_that_fails() -> None:
    slots = Slots()
    for _ in range(2):
        with pytest.raises(ValueError, match="wrong"), slots.one("run", 1):
            raise ValueError("wrong")


def test_who_waits_for_a_place_ends_with_the_run() -> None:
    slots, found = Slots(), list[BaseException]()

    def wait() -> None:
        try:
            with slots.one("run", 1):
                pass
        except Cancelled as error:
            found.append(error)

    def begin() -> None:
        with cancellation.scope():
            waiting.append(threading.Thread(target=copy_context().run, args=(wait,)))
            waiting[0].start()
            raise KeyboardInterrupt

    waiting: list[threading.Thread] = []
    with slots.one("run", 1):
        with pytest.raises(KeyboardInterrupt):
            begin()
        waiting[0].join(30)
    assert len(found) == 1
