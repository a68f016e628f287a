"""Waiting for many pieces of work, of which some fail."""

from __future__ import annotations

import pytest
from prefect import flow, task
from prefect.task_runners import ThreadPoolTaskRunner

from argosy.errors import Terminal
from flows.futures import Settled, settle

pytestmark = pytest.mark.usefixtures("prefect")


@task
def prepare(name: str) -> str:
    if name == "cart":
        raise Terminal("its repository is refused", service=name, remedy="allow it")
    return name


@task
def double(name: str) -> str:
    if name == "ui":
        raise Terminal("its Dockerfile is broken", service=name, category="Docker build failure")
    return name * 2


def settled(*names: str) -> tuple[Settled[str], Settled[str]]:
    """What `prepare` and, upon it, `double` come to for each name."""

    @flow(task_runner=ThreadPoolTaskRunner(max_workers=4))  # type: ignore[arg-type] # Prefect's own types
    def run() -> tuple[Settled[str], Settled[str]]:
        ready = prepare.map(list(names))
        doubled = double.map(ready)
        return settle(names, ready), settle(names, doubled)

    return run()


def test_a_failure_hides_no_other_value_and_is_told_in_its_own_words() -> None:
    ready, doubled = settled("ui", "orders", "cart", "catalog")
    assert ready.values == {"ui": "ui", "orders": "orders", "catalog": "catalog"}
    assert ready.failures == {"cart": "cart: its repository is refused (allow it)"}
    assert doubled.values == {"orders": "ordersorders", "catalog": "catalogcatalog"}
    assert doubled.failures["ui"] == "ui: Docker build failure: its Dockerfile is broken"
    assert (ready.categories, doubled.categories) == ({}, {"ui": "Docker build failure"})


def test_what_never_ran_for_what_it_stands_on_is_told_so() -> None:
    _, doubled = settled("cart")
    assert doubled.values == {}
    assert doubled.failures["cart"].startswith("NotReady: ")


def test_nothing_at_all_settles_to_nothing() -> None:
    assert settled() == (Settled({}, {}), Settled({}, {}))


def test_names_and_futures_belong_together() -> None:
    with pytest.raises(ValueError, match="shorter"):
        settle(["ui", "cart"], [])
