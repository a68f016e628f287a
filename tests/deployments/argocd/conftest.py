"""The stand-in for Argo CD as a process, over a real git repository and a real registry."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from argosy.argocd.client import ArgoCD
from deployments.local.argocd.controller import Following
from deployments.local.argocd.repository import Login
from deployments.local.argocd.server import ArgoCDStandIn
from deployments.local.argocd.state import Timing
from deployments.local.registry import USER, Registry, binary
from tests.deployments import images
from tests.deployments.argocd.world import App, Repository

FAST = Timing(operation=0.2, settling=0.1, progress_deadline=2.0)
FOLLOWING = Following(("main",), poll=0.2, tick=0.05, back_off=0.2, timing=FAST)
NAMES = (f"app-{number}" for number in itertools.count())


@pytest.fixture(scope="package")
def registry(tmp_path_factory: pytest.TempPathFactory, packages: Path) -> Iterator[Registry]:
    with Registry(binary(packages), SecretStr("of the tests"), state=tmp_path_factory.mktemp("registry")) as registry:
        yield registry


@pytest.fixture(scope="package")
def pushed(registry: Registry) -> Iterator[httpx.Client]:
    with images.client(registry) as client:
        yield client


@pytest.fixture(scope="package")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return Repository(tmp_path_factory.mktemp("git") / "shop")


@pytest.fixture(scope="package")
def stand_in(
    repository: Repository, registry: Registry, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ArgoCDStandIn]:
    login = Login(USER, registry.password)
    state = tmp_path_factory.mktemp("stand-in")
    url = repository.folder.as_uri()
    with ArgoCDStandIn(url, registry.host, FOLLOWING, state=state, registry_login=login) as stand_in:
        yield stand_in


@pytest.fixture(scope="package")
def http(stand_in: ArgoCDStandIn) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {stand_in.token.get_secret_value()}"}
    with httpx.Client(base_url=stand_in.url, headers=headers, trust_env=False, timeout=20) as client:
        yield client


@pytest.fixture
def argocd(stand_in: ArgoCDStandIn) -> Iterator[ArgoCD]:
    with ArgoCD(stand_in.url, stand_in.token) as client:
        yield client


@pytest.fixture
def app(registry: Registry, http: httpx.Client, pushed: httpx.Client, repository: Repository) -> App:
    return App(next(NAMES), registry.host, http, pushed, repository)
