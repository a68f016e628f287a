"""The flow in one process, upon a real repository, registry and AWS; what it would have to build fails."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterFlowRunId
from prefect.client.schemas.objects import State
from pydantic import SecretStr

from argosy.errors import ReleaseFailed
from argosy.execution import TriggerEvent, TriggerType
from argosy.home import run_folder
from blocks.gitops_repository import GitOpsRepository
from deployments.local.git_server import BOT, GitServer
from flows.release import release
from tests.engine.shop import service_files
from tests.fault_proxy import FaultProxy, faulty
from tests.hosted import SERVICES, HostedShop


def released(shop: HostedShop, **parameters: Any) -> State[Any]:
    return release(shop.name, "dev", **parameters, return_state=True)


def results(state: State[Any]) -> dict[str, str]:
    """What the run's report says each service came to."""
    return {row["service"]: row["result"] for row in json.loads(artifact(state, "release-dev"))}


def artifact(state: State[Any], key: str) -> str:
    """What the run shows under `key`."""
    run = state.state_details.flow_run_id
    assert run is not None
    with get_client(sync_client=True) as client:
        wanted = ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[run]))
        [found] = [each for each in client.read_artifacts(artifact_filter=wanted) if each.key == key]
    return str(found.data)


def test_a_run_before_adoption_ends_completed_and_asks_for_it(hosted: HostedShop) -> None:
    before = hosted.tip
    state = released(hosted)
    assert (state.type.value, state.name) == ("COMPLETED", "Adoption needed")
    assert "ui, cart unknown" in (state.message or "")
    assert hosted.tip == before


def test_a_run_that_releases_ends_completed_and_the_next_has_nothing_to_do(
    hosted: HostedShop, git_server: tuple[GitServer, SecretStr]
) -> None:
    for name in SERVICES:
        hosted.image(name)
    with faulty(lambda: urlsplit(hosted.url).netloc) as proxy:
        hosted.keep(GitOpsRepository(url=f"http://{proxy.host}/{hosted.name}.git", username=BOT, token=git_server[1]))
        _releases_and_then_has_nothing_to_do(hosted, proxy)


def _releases_and_then_has_nothing_to_do(hosted: HostedShop, proxy: FaultProxy) -> None:
    state = released(hosted, adopt=True)
    assert (state.type.value, state.name, state.message) == ("COMPLETED", "Completed", "ui, cart released to dev")
    assert results(state) == dict.fromkeys(SERVICES, "reused")
    after = hosted.tip
    released(hosted)  # its mirror has heard of what the first one pushed
    proxy.clear()
    again = released(hosted)
    assert (again.type.value, again.message, hosted.tip) == ("COMPLETED", "nothing to do", after)
    # One ls-remote: what the server speaks, told to everybody who has a password, and then its branches. No fetch.
    asked = [f"{each.method} {each.path.rpartition('/')[2]}" for each in proxy.asked if each.status == 200]
    assert asked == ["GET refs?service=git-upload-pack", "POST git-upload-pack"]


def test_all_that_the_builds_of_a_run_want_of_git_is_one_request(
    hosted: HostedShop, git_server: tuple[GitServer, SecretStr]
) -> None:
    with faulty(lambda: urlsplit(hosted.url).netloc) as proxy:
        hosted.keep(GitOpsRepository(url=f"http://{proxy.host}/{hosted.name}.git", username=BOT, token=git_server[1]))
        released(hosted, dry_run=True)
        proxy.clear()
        files = [f"src/{name}/{file}" for name in SERVICES for file in ("main.txt", "new.txt")]
        hosted.commit("Edit both", {file: f"{file}\n" for file in files})
        assert results(released(hosted, adopt=True)) == dict.fromkeys(SERVICES, "failed"), "there is no engine"
        asked = [each.path for each in proxy.asked if each.path.endswith("refs?service=git-upload-pack")]
        before, afterwards = ["ls-remote", "fetch", "files"], ["ls-remote of the write-back", "ls-remote of the tags"]
        assert len(asked) == len(before) + len(afterwards)


def test_a_service_that_fails_stops_no_other_and_the_run_names_it_alone(hosted: HostedShop) -> None:
    source = hosted.head
    hosted.image("cart")
    before = hosted.values("ui")
    state = released(hosted, adopt=True)
    assert state.type.value == "FAILED"
    with pytest.raises(ReleaseFailed, match=r"ui: .*docker-host block"):
        state.result()
    assert "cart: " not in (state.message or "")
    assert results(state) == {"ui": "failed", "cart": "reused"}
    assert (hosted.values("ui"), source in hosted.values("cart")) == (before, True)


def test_what_is_built_from_a_service_that_fails_is_blocked_and_the_others_are_released(hosted: HostedShop) -> None:
    text = (hosted.path / "argosy.yaml").read_text()
    files = {"argosy.yaml": text.replace("{ui: {}, ", "{ui: {build: {from: [base]}}, base: {}, ")}
    files |= service_files("base")
    hosted.commit("Base", files)
    for name in ("cart", "ui"):
        hosted.image(name)
    state = released(hosted, adopt=True)
    with pytest.raises(ReleaseFailed, match=r"ui: blocked: it is built from base, which failed") as failed:
        state.result()
    assert "NotReady" not in str(failed.value)
    assert results(state) == {"ui": "failed", "base": "failed", "cart": "reused"}


def test_a_failure_before_the_build_is_told_in_its_own_words(hosted: HostedShop) -> None:
    for name in SERVICES:
        hosted.image(name)
    hosted.configure_only("cart")
    state = released(hosted, adopt=True)
    with pytest.raises(ReleaseFailed, match=f"ui: .*{hosted.name}-ui") as failed:
        state.result()
    assert "NotReady" not in str(failed.value)
    assert results(state) == {"ui": "failed", "cart": "reused"}


def test_what_a_run_did_is_emitted_for_programs(hosted: HostedShop) -> None:
    digest = hosted.image("cart")
    state = released(hosted, adopt=True, trigger=TriggerEvent(TriggerType.PUSH, "main", hosted.head, "Dev"))
    run = state.state_details.flow_run_id
    assert run is not None
    said = json.loads((run_folder(str(run)) / "execution.json").read_text())
    assert (said["id"], said["status"], said["trigger"]["author"]) == (str(run), "failed", "Dev")
    assert said["created_at"] <= said["completed_at"]
    assert {build["service"]["name"]: build["build_status"] for build in said["services"]} == {
        "ui": "failed",
        "cart": "reused",
    }
    assert next(b["image_digest"] for b in said["services"] if b["build_status"] == "reused") == digest
    shown = artifact(state, "execution-dev")
    assert json.loads(shown.removeprefix("```json\n").removesuffix("\n```")) == said


def test_a_dry_run_plans_and_stops(hosted: HostedShop) -> None:
    hosted.image("ui")
    before = hosted.tip
    state = released(hosted, adopt=True, dry_run=True)
    assert state.type.value == "COMPLETED"
    assert results(state) == dict.fromkeys(SERVICES, "planned")
    assert (hosted.tip, hosted.digest("ui", before)) == (before, None)
