"""Argosy's tests. What they share is checked by pytest's assertions too, which say what was there instead."""

import pytest

pytest.register_assert_rewrite(
    "tests.chaos.faults", "tests.chaos.parts", "tests.chaos.soundness", "tests.deployments.waiting", "tests.e2e.store"
)
