"""Rollbacks, asked for and automatic, upon a real repository and registry and the stand-in for Argo CD."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from prefect.client.schemas.objects import State
from pydantic import SecretStr

from argosy import notes, state, trailers
from argosy.environment import Environment
from argosy.errors import ReleaseFailed
from argosy.gitops.commits import Identity
from argosy.gitops.mirror import Mirror
from argosy.gitops.remote import Remote
from argosy.gitops.writer import Writer
from argosy.holds import holds
from argosy.models import Health, ImageReference, Release, Verdict
from argosy.notes import Verified
from deployments.local.git_server import BOT, GitServer
from flows.rollback import rollback
from tasks.workspace import now
from tests.flows.test_release import artifact, released, results
from tests.hosted import SERVICES, HostedShop


class Story:
    """Two healthy releases of both services; `first` and `second` are the commits that were released."""

    def __init__(self, shop: HostedShop, mirror: Mirror) -> None:
        self.shop, self.mirror = shop, mirror
        self.first = self.told()
        self.second = self.told()

    def told(self) -> str:
        """What `release` leaves in git and in the registry, the moving tags apart, without the seconds of a run."""
        source = self.shop.change(*SERVICES)
        environment = self.shop.environment("dev", source)
        writer = Writer(self.mirror, environment, Identity("Argosy", "argosy@example.com"), "told", now)
        releases = [self._released(environment, name, source) for name in SERVICES]
        commit = writer.write_back(source, releases).commit
        assert commit
        verdicts = [(Verdict(each.service.name, each.reference, Health.HEALTHY, "told"), each) for each in releases]
        writer.record({commit: [notes.line(said, each.manifest_digest, "told", now()) for said, each in verdicts]})
        return source

    def _released(self, environment: Environment, name: str, source: str) -> Release:
        service, content = environment.service(name), self.shop.digests(source).desired(source)[name]
        current = state.current_reference(self.shop.read(), source, service)
        digest = self.shop.image(name, source)
        return Release(service, current, environment.image(service, source), content, digest)

    def release(self, **how: Any) -> str:
        """Change both services and release them; return the commit that was released."""
        source = self.shop.change(*SERVICES)
        self.images = {name: self.shop.image(name) for name in SERVICES}
        state = released(self.shop, **how)
        assert state.is_completed(), state.message
        return source

    def back(self, *services: str, **parameters: Any) -> State[Any]:
        asked = {"reason": "it loses baskets", "who": "Ada Lovelace"} | parameters
        return rollback(self.shop.name, "dev", services=list(services), **asked, return_state=True)

    def runs(self, service: str) -> str:
        """The tag that the service's chart carries."""
        return self.shop.values(service).split('tag: "')[1].partition('"')[0]

    def digest(self, service: str, tag: str) -> str | None:
        return self.shop.digest(service, tag)

    def verified(self, service: str, tag: str) -> bool:
        reference = ImageReference(f"{self.shop.cloud.registry.host}/{self.shop.name}-{service}", tag)
        return Verified(service, reference) in notes.verified(self.shop.read(), "dev")


@pytest.fixture
def story(watched: HostedShop, git_server: tuple[GitServer, SecretStr], tmp_path: Path) -> Story:
    return Story(watched, Mirror(tmp_path / "told", Remote(watched.url, BOT, git_server[1])))


def test_a_service_goes_back_in_one_commit_is_verified_and_stays_there_until_newer_content(story: Story) -> None:
    before = story.shop.tip
    state = story.back("ui")
    assert (state.type.value, state.message) == ("COMPLETED", "ui rolled back in dev")
    assert (story.runs("ui"), story.runs("cart")) == (story.first, story.second)
    commit = story.shop.tip
    assert story.shop.read().text("rev-parse", f"{commit}^") == before
    [record] = [each for each in trailers.records(story.shop.read(), commit, "dev") if each.commit == commit]
    assert (record.service, record.source_sha) == ("ui", story.first)
    lines = notes.of(story.shop.read(), story.shop.read().ref(notes.ref("dev")), commit).decode().splitlines()
    assert [(json.loads(each)["service"], json.loads(each)["verdict"]) for each in lines] == [("ui", "healthy")]
    [row] = json.loads(artifact(state, "rollback-dev"))
    assert (row["from"], row["to"], row["result"]) == (story.second, story.first, "rolled back")

    assert released(story.shop).message == "nothing to do; ui held"
    third = story.release()
    assert (story.runs("ui"), story.verified("ui", third)) == (third, True)


def test_the_moving_tags_follow_a_rollback(story: Story) -> None:
    third = story.release()
    assert story.digest("ui", "previous-dev") == story.digest("ui", story.second)
    story.back("ui")
    assert {story.digest("ui", tag) for tag in ("deployed-dev", "latest")} == {story.digest("ui", story.second)}
    assert story.digest("ui", "previous-dev") == story.digest("ui", third)
    assert story.digest("cart", "deployed-dev") == story.digest("cart", third)


def test_several_services_go_back_in_one_commit_to_a_release_that_is_named(story: Story) -> None:
    before = story.shop.tip
    assert story.back("ui", "cart", to=story.first).is_completed()
    assert (story.runs("ui"), story.runs("cart")) == (story.first, story.first)
    assert story.shop.read().text("rev-parse", f"{story.shop.tip}^") == before
    assert {each.service for each in holds.read(story.shop.read(), "main")} == {"ui", "cart"}


@pytest.mark.parametrize(
    ("services", "parameters", "name", "words"),
    [
        (["ui"], {"to": "a" * 40}, "Wrong use", "is no release of it in dev"),
        (["uii"], {}, "Wrong use", "no service uii"),
        (["ui"], {"reason": ""}, "Wrong use", "a reason"),
        ([], {}, "Wrong use", "needs services"),
    ],
)
def test_what_makes_no_sense_changes_nothing(
    hosted: HostedShop, services: list[str], parameters: dict[str, Any], name: str, words: str
) -> None:
    before = hosted.tip
    asked = {"reason": "x", "who": "Ada"} | parameters
    state = rollback(hosted.name, "dev", services=services, **asked, return_state=True)
    assert (state.type.value, state.name, words in (state.message or "")) == ("FAILED", name, True), state.message
    assert hosted.tip == before


def test_without_an_earlier_verified_release_nothing_is_changed_and_a_held_one_is_refused(story: Story) -> None:
    story.back("ui")
    before = story.shop.tip
    state = story.back("ui")
    assert (state.type.value, state.name) == ("FAILED", "Failed")
    assert "no release of it before" in (state.message or "")
    refused = story.back("ui", to=story.second)
    assert (refused.type.value, refused.name) == ("FAILED", "Refused")
    assert story.shop.tip == before


def test_an_image_that_is_gone_is_built_anew_and_where_that_fails_the_chart_stays(story: Story) -> None:
    digest = story.digest("ui", story.first)
    assert digest
    story.shop.lose("ui", digest)
    before = story.shop.values("ui")
    state = story.back("ui", "cart")
    with pytest.raises(ReleaseFailed, match=r"ui: .*docker-host block"):
        state.result()
    assert (story.shop.values("ui"), story.runs("cart")) == (before, story.first)
    assert [each.service for each in holds.read(story.shop.read(), "main")] == ["cart"]


def test_an_image_whose_tag_names_another_now_is_found_by_its_content_and_not_trusted_by_its_tag(story: Story) -> None:
    digest = story.digest("ui", story.first)
    assert digest
    story.shop.cloud.push(f"{story.shop.name}-ui", "another", story.first)
    assert story.back("ui").is_completed()
    assert story.runs("ui") == trailers.long_tag(story.first, digest)
    assert story.digest("ui", story.runs("ui")) == digest


def test_a_rollback_that_does_not_come_up_says_so(story: Story) -> None:
    story.shop.argocd.degrade(f"{story.shop.name}-ui", "CrashLoopBackOff", story.first)
    state = story.back("ui")
    with pytest.raises(ReleaseFailed, match=r"ui: degraded: .*CrashLoopBackOff"):
        state.result()
    assert story.runs("ui") == story.first


# by itself


def test_what_degrades_goes_back_by_itself_alone_and_is_not_released_again(story: Story) -> None:
    story.shop.run("pull", "-q", "origin", "main")
    story.shop.roll_back_by_itself()
    bad = story.shop.change(*SERVICES)
    for name in SERVICES:
        story.shop.image(name)
    story.shop.argocd.degrade(f"{story.shop.name}-ui", "CrashLoopBackOff", bad)
    state = released(story.shop)
    with pytest.raises(ReleaseFailed, match=rf"ui: .*CrashLoopBackOff.*rolled back to {story.second}"):
        state.result()
    assert results(state) == {"ui": "degraded", "cart": "healthy"}
    assert (story.runs("ui"), story.runs("cart")) == (story.second, bad)
    [hold] = holds.read(story.shop.read(), "main")
    assert (hold.service, hold.commit, hold.who, "CrashLoopBackOff" in hold.reason) == ("ui", bad, "Argosy", True)
    assert (story.verified("ui", bad), story.verified("cart", bad)) == (False, True)
    after = story.shop.tip
    assert released(story.shop).message == "nothing to do; ui held"
    assert story.shop.tip == after


def test_what_degrades_with_no_verified_release_before_it_stays_and_the_run_says_so(watched: HostedShop) -> None:
    watched.run("pull", "-q", "origin", "main")
    watched.roll_back_by_itself()
    for name in SERVICES:
        watched.image(name)
    assert released(watched, adopt=True).is_completed()
    watched.read().run("update-ref", "-d", notes.ref("dev"))
    source = watched.change("ui")
    watched.image("ui")
    watched.argocd.degrade(f"{watched.name}-ui", "CrashLoopBackOff", source)
    state = released(watched, services=["ui"])
    with pytest.raises(ReleaseFailed, match="no release of it before"):
        state.result()
    assert source in watched.values("ui")
    assert holds.read(watched.read(), "main") == ()


def test_what_degrades_stays_where_the_environment_does_not_ask_for_rollbacks(story: Story) -> None:
    bad = story.shop.change(*SERVICES)
    for name in SERVICES:
        story.shop.image(name)
    story.shop.argocd.degrade(f"{story.shop.name}-ui", "CrashLoopBackOff", bad)
    assert released(story.shop).is_failed()
    assert story.runs("ui") == bad


# on record


def test_notes_that_are_lost_are_made_anew_from_what_argo_cd_says(story: Story) -> None:
    story.shop.read().run("update-ref", "-d", notes.ref("dev"))
    assert not story.verified("ui", story.second)
    before = story.shop.tip
    state = released(story.shop)
    assert (state.type.value, results(state)) == ("COMPLETED", dict.fromkeys(SERVICES, "healthy"))
    assert all(story.verified(name, story.second) for name in SERVICES)
    assert story.shop.tip == before
    assert released(story.shop).message == "nothing to do"
