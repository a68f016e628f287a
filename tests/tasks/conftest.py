"""The stages as plain functions: outside a run there is no logger of Prefect's to write to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from prefect.logging import disable_run_logger


@pytest.fixture(autouse=True)
def _outside_a_run() -> Iterator[None]:
    with disable_run_logger():
        yield
