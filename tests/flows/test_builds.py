"""The flow with a real engine: how far its builds are, what their log lines say, and what came of them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    ArtifactFilter,
    ArtifactFilterFlowRunId,
    LogFilter,
    LogFilterFlowRunId,
)
from prefect.client.schemas.objects import Artifact, State
from prefect_docker import DockerHost

from argosy.builds.category import Category
from argosy.home import home, run_folder
from deployments.local.engine import Engine
from flows.release import release
from tests.hosted import HostedShop

pytestmark = pytest.mark.e2e

SOUND = "FROM scratch\nCOPY main.txt /one\nCOPY main.txt /two\n"
BROKEN = "FROM scratch\nCOPY main.txt /one\nCOPY main.txt /two\nRUN make\n"


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with Engine(tmp_path_factory.mktemp("engine"), home() / "packages") as engine:
        yield engine


@pytest.fixture
def building(hosted: HostedShop, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> HostedShop:
    """A shop whose services build: `ui` well, `cart` up to its third step."""
    for name, value in engine.environment().items():
        monkeypatch.setenv(name, value)
    hosted.keep(DockerHost(base_url=engine.docker_host))
    hosted.commit("Build", {"src/ui/Dockerfile": SOUND, "src/cart/Dockerfile": BROKEN})
    # Each its own: of steps that are the same to it BuildKit runs one, under the name that came first.
    hosted.change("ui")
    hosted.change("cart")
    return hosted


def released(shop: HostedShop, **parameters: Any) -> State[Any]:
    return release(shop.name, "dev", adopt=True, **parameters, return_state=True)


def eventually(read: Callable[[], Any], seconds: float = 60) -> Any:
    """What `read` returns once that is true: what a run sends last arrives a little after its end."""
    deadline = time.monotonic() + seconds
    while not (found := read()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return found


def artifacts(state: State[Any]) -> dict[str, Artifact]:
    """What the run shows, by key."""
    with get_client(sync_client=True) as client:
        wanted = ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[_run(state)]))
        found = client.read_artifacts(artifact_filter=wanted)
    return {each.key or "": each for each in found}


def logged(state: State[Any]) -> list[str]:
    """The lines of the run's log on the server."""
    with get_client(sync_client=True) as client:
        found = client.read_logs(LogFilter(flow_run_id=LogFilterFlowRunId(any_=[_run(state)])))
    return [line.message for line in found]


def _run(state: State[Any]) -> Any:
    assert state.state_details.flow_run_id is not None
    return state.state_details.flow_run_id


def test_a_build_that_ends_well_and_its_run_are_at_100(building: HostedShop) -> None:
    state = released(building, services=["ui"])
    assert state.is_completed(), state.message
    shown = artifacts(state)
    assert {key: each.data for key, each in shown.items() if each.type == "progress"} == {
        "build-dev-ui": 100.0,
        "progress-dev": 100.0,
    }
    assert "Build of **ui**: 0 of 2 steps from the cache" in str(shown["build-dev-ui"].description)
    assert shown["build-dev-ui"].task_run_id is not None
    assert building.digest("ui", "cache-main"), "the run waits for what its builds still export"


def test_a_build_that_fails_stays_where_it_stopped_and_its_run_below_100(building: HostedShop) -> None:
    state = released(building)
    assert state.is_failed()
    shown = artifacts(state)
    assert shown["build-dev-ui"].data == 100.0
    assert shown["build-dev-cart"].data == 50.0  # two of three steps, the image's own way being a fourth
    assert "Build of **cart**: Docker build failure (" in str(shown["build-dev-cart"].description)
    assert shown["progress-dev"].data == 67.5  # one and a half of two builds, which are 90 of 100


def test_a_failure_is_told_by_its_kind_and_the_line_of_the_dockerfile(building: HostedShop) -> None:
    state = released(building)
    assert "cart: Docker build failure: src/cart/Dockerfile:4 (RUN make): step '[3/3] RUN make'" in str(state.message)
    rows = {row["service"]: row for row in json.loads(str(artifacts(state)["release-dev"].data))}
    assert (rows["cart"]["category"], rows["cart"]["cached"]) == (Category.DOCKER, "")
    assert rows["ui"]["category"] == ""
    assert rows["ui"]["cached"].endswith(" of 2 steps")
    said = json.loads((run_folder(str(_run(state))) / "execution.json").read_text())
    assert {each["service"]["name"]: (each["steps"], each["category"]) for each in said["services"]} == {
        "ui": (2, None),
        "cart": (0, Category.DOCKER),
    }


def test_what_the_cache_saved_is_reported(building: HostedShop) -> None:
    assert released(building, services=["ui"]).is_completed()
    building.run("pull", "-q", "origin", "main")
    labelled = (building.path / "argosy.yaml").read_text().replace("ui: {}", "ui: {build: {labels: {round: two}}}", 1)
    building.commit("Label", {"argosy.yaml": labelled})
    state = released(building, services=["ui"])
    assert state.is_completed(), state.message
    [row] = [row for row in json.loads(str(artifacts(state)["release-dev"].data)) if row["service"] == "ui"]
    assert (row["result"], row["cached"]) == ("built", "2 of 2 steps")


def test_each_line_of_a_build_is_in_the_runs_log_under_its_step_and_whole_in_the_runs_folder(
    building: HostedShop,
) -> None:
    state = released(building)
    wanted = {"ui: [2/2] COPY main.txt /two", "cart: [3/3] RUN make"}
    seen = eventually(lambda: wanted <= set(logged(state)))
    assert seen, logged(state)
    assert [line for line in logged(state) if ": #" in line] == []
    whole = (run_folder(str(_run(state))) / "build-cart.log").read_text()
    assert "[3/3] RUN make\n" in whole
    assert Path(run_folder(str(_run(state))) / "build-ui.log").exists()
