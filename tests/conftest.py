"""What the tests of several rooms share; each is started once a run of pytest, by the first test that asks for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from argosy.home import home
from tests.cloud import Cloud

_PATIENCE = 180  # seconds for the server's first start, which takes about 15 on an idle machine


@pytest.fixture(scope="session")
def packages() -> Path:
    """Where unpacked Debian packages stay from one run of the tests to the next."""
    return home() / "packages"


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory, packages: Path) -> Iterator[Cloud]:
    with Cloud.started(tmp_path_factory.mktemp("cloud"), packages) as cloud:
        yield cloud


@pytest.fixture(scope="session")
def prefect(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A Prefect server with an empty database, and nothing of the user's own profile."""
    # Imported here, as it takes seconds that the tests of the engine need not wait for.
    from prefect.context import use_profile
    from prefect.settings import PREFECT_HOME, PREFECT_SERVER_ANALYTICS_ENABLED, Profile
    from prefect.testing.utilities import prefect_test_harness

    settings = {PREFECT_HOME: tmp_path_factory.mktemp("prefect"), PREFECT_SERVER_ANALYTICS_ENABLED: False}
    profile = Profile(name="tests", settings=settings)
    with (
        use_profile(profile, override_environment_variables=True, include_current_context=False),
        prefect_test_harness(server_startup_timeout=_PATIENCE),
    ):
        yield
