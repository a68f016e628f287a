"""The flows where charts lie in a repository of their own: all is written there, and the source is only read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pydantic import SecretStr

from argosy.git import Git
from argosy.holds import holds
from blocks.gitops_repository import GitOpsRepository
from deployments.local.git_server import BOT, GitServer
from flows.hold import hold
from flows.rollback import rollback
from tests.engine.shop import VALUES, Shop, run
from tests.fault_proxy import FaultProxy, faulty
from tests.flows.test_release import released, results
from tests.hosted import SERVICES, HostedShop

HERE = "target: {branch: main, values: values-dev.yaml}"


class Charts(Shop):
    """The repository of the shop's charts on the same server; its block is called after the shop too."""

    def __init__(self, shop: HostedShop, server: GitServer, folder: Path) -> None:
        self.name = f"{shop.name}-charts"
        self.url = server.create(self.name, protected=())
        super().__init__(folder, server.path(self.name))
        self.commit("Lay out the charts", {f"charts/{name}/values.yaml": VALUES for name in SERVICES})
        shop.configure(HERE, f'target: {{branch: main, repository: {self.name}, chart: "charts/{{service}}"}}')

    def values(self, service: str) -> str:
        return run("-C", str(self.origin), "show", f"main:charts/{service}/values.yaml")


@pytest.fixture
def charts(hosted: HostedShop, git_server: tuple[GitServer, SecretStr], tmp_path: Path) -> Charts:
    (tmp_path / "charts").mkdir()
    return Charts(hosted, git_server[0], tmp_path / "charts")


@pytest.fixture
def proxy(hosted: HostedShop, charts: Charts, git_server: tuple[GitServer, SecretStr]) -> Iterator[FaultProxy]:
    """The way to both repositories; nobody may push to the shop's over it."""
    run("-C", str(hosted.origin), "config", "http.receivepack", "false")
    with faulty(lambda: urlsplit(hosted.url).netloc) as proxy:
        hosted.keep(GitOpsRepository(url=f"http://{proxy.host}/{hosted.name}.git", username=BOT, token=git_server[1]))
        block = GitOpsRepository(
            url=f"http://{proxy.host}/{charts.name}.git", username=BOT, token=git_server[1], author_name="Charts"
        )
        block.save(charts.name, overwrite=True)
        yield proxy


def test_a_release_a_hold_and_a_rollback_go_to_the_charts_and_a_run_with_nothing_to_do_asks_each_server_once(
    hosted: HostedShop, charts: Charts, proxy: FaultProxy
) -> None:
    first = hosted.head
    for name in SERVICES:
        hosted.image(name)
    assert results(released(hosted, adopt=True)) == dict.fromkeys(SERVICES, "reused")
    assert all(f'tag: "{first}"' in charts.values(name) for name in SERVICES)
    released(hosted)
    proxy.clear()
    assert released(hosted).message == "nothing to do"
    asked = Counter(each.path.split("/")[1] for each in proxy.asked if each.status == 200)
    # One ls-remote each: what the server speaks, and its branches. No fetch.
    assert asked == {f"{hosted.name}.git": 2, f"{charts.name}.git": 2}

    second = hosted.change(*SERVICES)
    for name in SERVICES:
        hosted.image(name)
    held = hold(hosted.name, "dev", services=["cart"], reason="not yet", who="Ada", return_state=True)
    assert held.is_completed()
    assert results(released(hosted)) == {"ui": "reused", "cart": "held"}
    assert (second in charts.values("ui"), second in charts.values("cart")) == (True, False)
    digest = hosted.digest("ui", second)
    assert digest is not None
    assert hosted.digest("ui", "deployed-dev") == digest

    back = rollback(hosted.name, "dev", services=["ui"], reason="it loses baskets", who="Ada", return_state=True)
    assert back.is_completed(), back.message
    assert f'tag: "{first}"' in charts.values("ui")
    assert {each.service for each in holds.read(Git(charts.origin), "main")} == set(SERVICES)
    assert hosted.tip == second
    authors = run("-C", str(charts.origin), "log", "--format=%an", "main").splitlines()
    assert authors == ["Charts"] * 4 + ["Dev"]
