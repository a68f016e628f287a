"""Which tests go to one process where several run side by side: those that share what takes long to start."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xdist.scheduler import LoadScopeScheduling

if TYPE_CHECKING:
    import pytest
    from xdist.remote import Producer

# Two groups have a stack each, and two a Prefect server: one of each would be waited for when all else is done.
CHAOS, E2E, FLOWS, PREFECT = "chaos", "e2e", "flows", "prefect"
YARD, ACCOUNT = "yard", "account"
"""Those that share an engine and a registry, and those that share an AWS account."""
_SHARED = {
    "tests/chaos/": CHAOS,
    "tests/e2e/": E2E,
    "tests/flows/": FLOWS,
    "tests/blocks/": PREFECT,
    "tests/tasks/": PREFECT,
    "tests/cli/test_hold.py": PREFECT,
    "tests/cli/test_release.py": PREFECT,
    "tests/cli/test_rollback.py": PREFECT,
    "tests/deployments/test_cloud.py": PREFECT,
    "tests/deployments/test_registration.py": PREFECT,
    "tests/doctor/test_orchestrator.py": PREFECT,
    "tests/engine/test_build_cache.py": YARD,
    "tests/engine/test_build_secrets.py": YARD,
    "tests/engine/test_builders.py": YARD,
    "tests/engine/test_image": YARD,
    "tests/engine/test_long_builds.py": YARD,
    "tests/engine/test_push_faults.py": YARD,
    "tests/deployments/test_policies.py": ACCOUNT,
    "tests/engine/test_ecr_": ACCOUNT,
}
_FIRST = (CHAOS, E2E, FLOWS, PREFECT, YARD, ACCOUNT)


def group(nodeid: str) -> str:
    """What the test shares with others, else its file."""
    shared = (name for start, name in _SHARED.items() if nodeid.startswith(start))
    return next(shared, nodeid.partition("::")[0])


def order(nodeid: str) -> int:
    """Where the test stands: those of the groups that take longest come first."""
    name = group(nodeid)
    return _FIRST.index(name) if name in _FIRST else len(_FIRST)


class Scheduling(LoadScopeScheduling):  # type: ignore[misc] # published without types
    """xdist's own by scope, with our groups as scopes, in the order of the tests."""

    def __init__(self, config: pytest.Config, log: Producer) -> None:
        config.option.loadscopereorder = False  # by how many tests a group has
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        return group(nodeid)
