"""Work beside a block, which waits for it where it needs it."""

from __future__ import annotations

import threading

import pytest

from argosy.errors import Terminal, Transient
from argosy.processes.side_by_side import beside


def test_what_is_done_beside_a_block_begins_with_it_and_is_had_when_it_is_waited_for() -> None:
    go = threading.Event()

    def act() -> str:
        assert go.wait(10)
        return "done"

    with beside(act) as result:
        go.set()
        assert (result(), result()) == ("done", "done")


def test_what_went_wrong_beside_is_raised_where_it_is_waited_for_and_nowhere_else() -> None:
    def act() -> None:
        raise Transient("AWS is down")

    with beside(act):
        pass
    with beside(act) as result, pytest.raises(Transient, match="AWS is down"):
        result()


def test_a_block_that_fails_waits_for_what_is_beside_it_and_says_its_own_reason() -> None:
    go, done = threading.Event(), list[str]()

    def act() -> None:
        assert go.wait(10)
        done.append("done")

    def block() -> None:
        with beside(act):
            go.set()
            raise Terminal("no such image")

    with pytest.raises(Terminal, match="no such image"):
        block()
    assert done == ["done"]
