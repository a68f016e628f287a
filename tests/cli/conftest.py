"""What the tests of commands that start runs share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:  # most commands need no Prefect, which takes seconds to import
    from tests.cli.server import Server


@pytest.fixture
def server(prefect: None) -> Iterator[Server]:
    from tests.cli.server import Server

    with Server.opened() as server:
        yield server
