"""How far a run is, shown by a thread that no build waits for: on a real server, on none, and on one that hangs."""

from __future__ import annotations

import logging
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterFlowRunId
from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings

from argosy.builds.output import BuildOutput
from tasks.progress import Progress, following


def progress(*services: str, interval: float = 0.05, patience: float = 60.0) -> Progress:
    return Progress(str(uuid.uuid4()), "dev", services, interval=interval, patience=patience)


def shown(of: Progress) -> dict[str, Any]:
    """The bars of the run as the server has them."""
    wanted = ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[uuid.UUID(of.run)]))
    with get_client(sync_client=True) as client:
        return {each.key or "": each.data for each in client.read_artifacts(artifact_filter=wanted)}


def test_a_build_is_shown_step_by_step_and_at_100_once_it_is_over(prefect: None) -> None:
    output = BuildOutput()
    seen = []
    with progress("ui").shown() as run:
        with run.building("ui", output, None):
            for line in ("#1 [1/3] COPY a /", "#1 DONE 0.1s", "#2 [2/3] COPY b /", "#2 CACHED"):
                output.add(line)
            seen.append(_await(run, "build-dev-ui", 50.0))
        seen.append(_await(run, "build-dev-ui", 100.0))
        run.ended(well=True)
    assert seen == [50.0, 100.0]
    assert shown(run) == {"build-dev-ui": 100.0, "progress-dev": 100.0}


def _await(run: Progress, key: str, value: float, seconds: float = 60) -> float | None:
    deadline = time.monotonic() + seconds
    while (found := shown(run).get(key)) != value and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


def test_a_build_that_fails_stays_where_it_stopped(prefect: None) -> None:
    output = BuildOutput()
    with progress("ui", "cart").shown() as run:
        for line in ("#1 [1/1] COPY a /", "#1 DONE 0.1s"):
            output.add(line)
        with pytest.raises(OSError, match="broken"), run.building("ui", output, None):
            raise OSError("broken")
        run.reused("cart")
        run.ended(well=False)
    assert shown(run) == {"build-dev-ui": 50.0, "progress-dev": 67.5}


def test_however_much_a_build_prints_its_bar_moves_no_oftener_than_asked(
    prefect: None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "httpx")
    output = BuildOutput()
    began = time.monotonic()
    with progress("ui", interval=0.4).shown() as run, run.building("ui", output, None):
        for number in range(1, 201):
            output.add(f"#{number} [{number}/200] COPY {number} /")
            output.add(f"#{number} DONE 0.0s")
            time.sleep(0.01)
    looks = (time.monotonic() - began) / 0.4 + 1
    sent = [line for line in caplog.messages if "/artifacts/" in line]
    assert 2 < len(sent) <= 2 * looks


@pytest.fixture
def deaf() -> Iterator[str]:
    """The address of a server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/api"


def test_a_server_that_hangs_holds_no_run_up(prefect: None, deaf: str) -> None:
    with temporary_settings({PREFECT_API_URL: deaf}), progress("ui", patience=0.1).shown() as run:
        with run.building("ui", BuildOutput(), None):
            time.sleep(0.2)
        run.ended(well=True)


def test_a_server_that_is_gone_fails_no_build(prefect: None) -> None:
    nowhere = {PREFECT_API_URL: "http://127.0.0.1:9/api", PREFECT_CLIENT_MAX_RETRIES: 0}
    with temporary_settings(nowhere), progress("ui").shown() as run, run.building("ui", BuildOutput(), None):
        pass
    assert shown(run) == {}


def test_a_run_that_is_interrupted_waits_for_nothing(prefect: None, deaf: str) -> None:
    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt), temporary_settings({PREFECT_API_URL: deaf}), progress("ui").shown():
        raise KeyboardInterrupt
    assert threading.active_count() <= before + 1


def test_a_stage_outside_of_a_run_has_no_progress_to_tell() -> None:
    with following("ui", BuildOutput()):
        pass
