"""The embedded stack that every end-to-end test runs on: started once a run of pytest, by the first that asks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from deployments.local.stack import Stack
from tests.e2e.store import DEPLOYMENT, Store

_FOLDER = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(_FOLDER):
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    with Stack(stable_for=0.5) as stack, stack.api as api:
        for deployment in (DEPLOYMENT, "release/dev"):
            api.pause_schedules(deployment)  # a run at the full hour would release what a test is about to
        yield stack


@pytest.fixture(scope="session")
def store(stack: Stack) -> Iterator[Store]:
    with Store(stack) as store:
        yield store


@pytest.fixture
def unadopted(store: Store) -> Store:
    """The store before its adoption."""
    store.forget()
    return store


@pytest.fixture
def adopted(store: Store) -> Store:
    """The store with the tip of main released and verified."""
    store.settle()
    return store
