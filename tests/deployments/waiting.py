"""Waiting for what happens soon, where nothing tells when."""

from __future__ import annotations

import time
from collections.abc import Callable


def soon(read: Callable[[], object], expected: object, seconds: float = 15.0) -> None:
    """Read until `expected` is found; fail with what was found instead when `seconds` have passed."""
    deadline = time.monotonic() + seconds
    while (found := read()) != expected and time.monotonic() < deadline:
        time.sleep(0.02)
    assert found == expected
