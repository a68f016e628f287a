"""What the tests of several rooms share; each is started once a run of pytest, by the first test that asks for it."""

from __future__ import annotations

import gc
import secrets
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from argosy.home import home
from deployments.local.git_server import BOT, GitServer
from deployments.local.github.server import GitHubStandIn
from tests import side_by_side
from tests.cloud import Cloud
from tests.engine.yard import Yard
from tests.users_home import UsersHome

if TYPE_CHECKING:  # some import Prefect, which takes seconds that the tests of the engine need not wait for
    from xdist.remote import Producer

    from deployments.local.aws import Aws
    from deployments.local.stack import Stack
    from tests.e2e.store import Store
    from tests.hosted import HostedShop

# Prefect leaves the client open that it creates an artifact with, and warns of an artifact outside of a run, which is
# where a stage called as a plain function is. Both are let pass in the tests that ask for Prefect, and in no other.
_PREFECTS_OWN = (
    "ignore:unclosed <socket.socket:ResourceWarning",
    "ignore:Artifact creation outside of a flow or task run:FutureWarning",
)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> side_by_side.Scheduling:
    return side_by_side.Scheduling(config, log)


def pytest_collection_finish() -> None:
    gc.collect()
    gc.freeze()  # the modules of all tests stay: to look through them again and again is for nothing


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: side_by_side.order(item.nodeid))
    for item in items:
        if "prefect" in getattr(item, "fixturenames", ()):
            for warning in _PREFECTS_OWN:
                item.add_marker(pytest.mark.filterwarnings(warning))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    yield
    if "prefect" in getattr(item, "fixturenames", ()):
        gc.collect()  # what Prefect left open goes now, and not in the middle of somebody else's test
        gc.freeze()  # what is left stays: to look through it after each test took a quarter of their time


@pytest.fixture(scope="session")
def packages() -> Path:
    """Where unpacked Debian packages stay from one run of the tests to the next."""
    return home() / "packages"


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory, packages: Path) -> Iterator[Cloud]:
    with Cloud.started(tmp_path_factory.mktemp("cloud"), packages) as cloud:
        yield cloud


@pytest.fixture(scope="session")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aws]:
    """An AWS account with IAM enforced, and without a registry to push to."""
    from deployments.local.aws import Aws

    with Aws(state=tmp_path_factory.mktemp("aws")) as aws:
        yield aws


@pytest.fixture(scope="session")
def yard(tmp_path_factory: pytest.TempPathFactory, packages: Path) -> Iterator[Yard]:
    """An engine and a registry that the tests of builds share."""
    with Yard.started(tmp_path_factory.mktemp("yard"), packages) as yard:
        yield yard


@pytest.fixture(scope="session")
def prefect(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A Prefect server with an empty database, and nothing of the user's own profile."""
    from tests import harness

    with harness.running(tmp_path_factory.mktemp("prefect")):
        yield


@pytest.fixture(scope="session")
def git_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[GitServer, SecretStr]]:
    """A git server, and the password of its user argosy."""
    password = SecretStr(secrets.token_urlsafe())
    with GitServer({BOT: password}, state=tmp_path_factory.mktemp("git")) as server:
        yield server, password


@pytest.fixture(scope="session")
def github(
    git_server: tuple[GitServer, SecretStr], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[GitHubStandIn]:
    """GitHub's API over the repositories of the git server."""
    with GitHubStandIn(git_server[0].folder, state=tmp_path_factory.mktemp("github")) as forge:
        yield forge


@pytest.fixture
def hosted(
    prefect: None,
    cloud: Cloud,
    git_server: tuple[GitServer, SecretStr],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> HostedShop:
    """A shop that nothing brings up, and a cache of Argosy's own."""
    from tests.hosted import HostedShop

    monkeypatch.setenv("ARGOSY_HOME", str(tmp_path / "home"))
    return HostedShop(tmp_path, *git_server, cloud)


@pytest.fixture
def watched(hosted: HostedShop, git_server: tuple[GitServer, SecretStr], tmp_path: Path) -> Iterator[HostedShop]:
    """A shop that Argo CD brings up."""
    with hosted.watched(git_server[1], tmp_path / "state"):
        yield hosted


@pytest.fixture(scope="session")
def users_home(tmp_path_factory: pytest.TempPathFactory) -> UsersHome:
    """A home that the stack must neither read nor change."""
    return UsersHome.made(tmp_path_factory.mktemp("users"))


@pytest.fixture(scope="session")
def stack(users_home: UsersHome) -> Iterator[Stack]:
    """The embedded stack that every end-to-end test runs on, started by a user with `users_home`."""
    from deployments.local.stack import Stack
    from tests.e2e.store import DEPLOYMENT

    auth = SecretStr(f"argosy:{secrets.token_urlsafe(24)}")
    with pytest.MonkeyPatch.context() as shell:
        shell.setenv("ARGOSY_HOME", str(home()))  # where packages are unpacked already
        for name, value in users_home.variables().items():
            shell.setenv(name, value)
        stack = Stack(stable_for=0.5, retry_delay=1.0, auth=auth)
        stack.start()
    with ExitStack() as held, stack.api as api:
        held.push(stack)
        for deployment in (DEPLOYMENT, "release/dev"):
            api.pause_schedules(deployment)  # a run at the full hour would release what a test is about to
        yield stack


@pytest.fixture(scope="session")
def store(stack: Stack) -> Iterator[Store]:
    from tests.e2e.store import Store

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
