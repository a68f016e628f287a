"""What the tests of the doctor share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.shop import Shop


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """A shop in which nothing is missing."""
    shop = Shop.opened(tmp_path)
    shop.commit("Add the charts", {f"src/{name}/chart/Chart.yaml": "name: x\n" for name in ("ui", "cart")})
    return shop
