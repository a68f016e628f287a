"""Releases to a branch that nobody pushes to: proposed, merged by people, and verified by the run after that."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from argosy import notes
from argosy.github.client import GitHub, PullRequest
from argosy.holds import holds
from argosy.models import ImageReference
from argosy.notes import Verified
from argosy.settings.target_mode import Method
from blocks.gitops_repository import GitOpsRepository
from deployments.local.git_server import BOT, GitServer
from deployments.local.github.server import GitHubStandIn
from flows.hold import hold
from flows.rollback import rollback
from tests.flows.test_release import released, results
from tests.hosted import SERVICES, HostedShop

RELEASES = "argosy/dev/release"


class Guarded:
    """A watched shop whose main is changed by pull requests alone."""

    def __init__(
        self, shop: HostedShop, server: GitServer, password: SecretStr, github: GitHubStandIn, mode: str
    ) -> None:
        self.shop, self.github = shop, github
        token, name = github.admit(BOT, shop.name), github.repository(shop.name)
        self.client = GitHub(github.url, name, token)
        # One server stands for both of GitHub's doors, so one secret opens both there, as a real token does.
        github.admit(BOT, shop.name, token=password)
        shop.keep(GitOpsRepository(url=shop.url, username=BOT, token=password, api_url=github.url, api_repository=name))
        shop.configure("values: values-dev.yaml}", f"values: values-dev.yaml, mode: {mode}}}")
        pushers = (BOT, "nobody") if mode == "github-api" else ("nobody",)
        server.create(shop.name, protected=() if mode == "github-api" else ("main",), pushers=pushers)

    def open(self, branch: str = RELEASES) -> PullRequest:
        found = self.client.pulls(branch, "main", "open")
        assert found is not None
        return found

    def merge(self, method: Method, branch: str = RELEASES) -> None:
        self.client.merge_itself(self.open(branch), method)

    def change(self, *services: str) -> str:
        source = self.shop.change(*services)
        for name in services:
            self.shop.image(name)
        return source

    def verified(self, service: str, tag: str) -> bool:
        reference = ImageReference(f"{self.shop.cloud.registry.host}/{self.shop.name}-{service}", tag)
        return Verified(service, reference) in notes.verified(self.shop.read(), "dev")

    def closed(self) -> bool:
        return self.client.pulls(RELEASES, "main", "open") is None


@pytest.fixture
def guarded(watched: HostedShop, git_server: tuple[GitServer, SecretStr], github: GitHubStandIn) -> Guarded:
    return Guarded(watched, *git_server, github, "pull-request")


def test_a_release_awaits_its_merge_and_the_run_after_that_verifies_it(guarded: Guarded) -> None:
    there = guarded
    shop, first = there.shop, there.change(*SERVICES)
    state = released(shop, adopt=True)
    assert (state.type.value, state.name) == ("COMPLETED", "AwaitingMerge"), state.message
    assert there.open().url in (state.message or "")
    assert results(state) == dict.fromkeys(SERVICES, "awaiting merge")
    assert (shop.tip, shop.digest("ui", "latest")) == (first, None)
    assert released(shop).name == "Adoption needed"
    there.merge("squash")

    after = released(shop)
    assert (after.name, results(after)) == ("Completed", dict.fromkeys(SERVICES, "healthy")), after.message
    assert there.verified("ui", first)
    assert shop.digest("ui", "latest") == shop.digest("ui", "deployed-dev") == shop.digest("ui", first)
    assert released(shop).message == "nothing to do"

    second = there.change("ui")
    assert released(shop).name == "AwaitingMerge"
    assert released(shop).name == "AwaitingMerge"
    assert shop.digest("ui", "latest") == shop.digest("ui", first)
    there.merge("rebase")
    assert results(released(shop)) == {"ui": "healthy", "cart": "untouched"}
    assert there.verified("ui", second)


def test_what_is_to_be_undone_again_or_taken_back_goes_by_pull_requests_too(guarded: Guarded) -> None:
    there = guarded
    shop, first = there.shop, there.change(*SERVICES)
    released(shop, adopt=True)
    there.merge("merge")
    assert released(shop).is_completed()
    before = shop.read().file("main", "src/ui/main.txt") or b""
    there.change("ui")
    assert released(shop).name == "AwaitingMerge"
    shop.commit("Change it back", {"src/ui/main.txt": before.decode()})
    assert released(shop).message == "nothing to do"
    assert there.closed()

    second = there.change("ui")
    released(shop)
    there.merge("squash")
    assert results(released(shop))["ui"] == "healthy"
    asked = {"services": ["ui"], "reason": "it loses baskets", "who": "Ada Lovelace"}
    back = rollback(shop.name, "dev", **asked, return_state=True)
    assert back.name == "AwaitingMerge", back.message
    assert second in shop.values("ui")
    there.merge("squash", "argosy/dev/rollback")
    assert first in shop.values("ui")
    assert released(shop).message == "nothing to do; ui held"
    assert shop.digest("ui", "latest") == shop.digest("ui", first)

    lifted = hold(shop.name, "dev", services=["ui"], lift=True, return_state=True)
    assert lifted.name == "AwaitingMerge", lifted.message
    assert len(holds.read(shop.read(), "main")) == 1
    there.merge("rebase", "argosy/dev/holds")
    assert released(shop).name == "AwaitingMerge"


def test_where_pushes_are_refused_a_release_finds_its_way_by_itself_and_its_tags_follow_the_merge(
    hosted: HostedShop, git_server: tuple[GitServer, SecretStr], github: GitHubStandIn
) -> None:
    there = Guarded(hosted, *git_server, github, "auto")
    source = there.change(*SERVICES)
    assert released(hosted, adopt=True).name == "AwaitingMerge"
    assert (hosted.tip, hosted.digest("ui", "deployed-dev")) == (source, None)
    there.merge("squash")
    assert released(hosted).message == "nothing to do"
    assert hosted.digest("ui", "deployed-dev") == hosted.digest("ui", "latest") == hosted.digest("ui", source)


def test_a_commit_of_githubs_own_is_released_at_once(
    hosted: HostedShop, git_server: tuple[GitServer, SecretStr], github: GitHubStandIn
) -> None:
    there = Guarded(hosted, *git_server, github, "github-api")
    source = there.change(*SERVICES)
    state = released(hosted, adopt=True)
    assert (state.name, state.message) == ("Completed", "ui, cart released to dev")
    assert there.client.verification(hosted.tip).verified
    assert source in hosted.values("ui")
    assert released(hosted).message == "nothing to do"
