"""No secret is found anywhere after runs that succeed, and after runs that fail at each stage."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from pydantic import SecretStr

from deployments.local.aws import PIPELINE_ACTIONS
from deployments.local.git_server import BOT, DEVELOPER
from deployments.local.prefect_api import FlowRun
from tests.deployments.waiting import soon
from tests.e2e.block_values import block_values
from tests.e2e.canaries import Canaries, Watch, names, rows
from tests.e2e.store import ENVIRONMENT, Store

# The first test waits for all the runs of the fixture, which took five minutes on a machine with eight times the load.
pytestmark = pytest.mark.timeout(900)

_ECHO = """
RUN env; cat /run/secrets/* /root/.docker/config.json /proc/*/environ 2>/dev/null; ls -laR /run/secrets; exit 7
"""
# The Prefect API is opened by one setting, which its server and its clients read from their environment.
# What they start to ask what machine they are on (`file`, for Python's platform module) has the same environment.
_PREFECT = ("-m prefect server start", "prefect.server.api.server", "-m prefect worker start", "-m prefect.engine",
            "file -b ")  # fmt: skip


@dataclass(frozen=True)
class Night:
    """What happened, by the stage that failed, and how to look for what must not be found, and for what must."""

    store: Store
    canaries: Canaries
    bait: Canaries
    runs: dict[str, FlowRun]
    watch: Watch


@pytest.fixture(scope="session")
def night(store: Store) -> Night:
    """One run that succeeds, and one that fails at each stage."""
    aws, runs = store.stack.aws, dict[str, FlowRun]()
    deputy = aws.create_user("deputy", ["sts:AssumeRole"])
    pipeline = aws.create_role("pipeline", PIPELINE_ACTIONS)
    powerless = aws.create_role("powerless", ["ecr:GetAuthorizationToken"])
    wrong = {name: SecretStr(f"wrong-{name}-{secrets.token_urlsafe(24)}") for name in ("git", "registry", "argocd")}
    key = {"aws_access_key_id": deputy.id, "aws_secret_access_key": _text(deputy.secret)}
    # Nobody was told of it: where it is not found, nobody looked.
    bait = SecretStr(f"bait-{secrets.token_hex(16)}")
    with Watch() as watch, block_values(store, "aws-credentials", "aws", **key, assume_role_arn=pipeline):
        store.settle()
        bare, whole = store.read("src/ui/Dockerfile"), store.read("src/cart/Dockerfile")
        store.change("ui", **{"src/ui/Dockerfile": f"{bare}USER 0\nRUN echo {_text(bait)} | tee /bait; sleep 1; :\n"})
        runs["none"] = store.release()
        with block_values(store, "gitops-repository", token=_text(wrong["git"])):
            runs["resolve"] = store.release()
        login = {"aws_credentials": None, "username": "AWS", "token": _text(wrong["registry"])}
        with block_values(store, "container-registry", "registry", **login):
            runs["plan"] = store.release()
        store.change("ui", "cart", **{"src/cart/Dockerfile": whole + _ECHO, "src/ui/Dockerfile": bare})
        with block_values(store, "aws-credentials", "aws", assume_role_arn=powerless):
            runs["ensure repository"] = store.release()
        with _quoting_hook(store, "refs/heads/*"):
            runs["write back"] = store.release()
        with store.failing_syncs("ui", f"cannot log in with {_text(store.stack.passwords[BOT])}"):
            runs["build"] = store.release()
        store.change(**{"src/cart/Dockerfile": whole})
        with block_values(store, "argocd-server", "argocd", token=_text(wrong["argocd"])):
            runs["verify"] = store.release()
        with _quoting_hook(store, "refs/notes/*"):
            runs["record verdicts"] = store.release()
        with _spoilt_tag(store, "cart", f"deployed-{ENVIRONMENT}"):
            runs["move tags"] = store.release()
    named = {f"wrong {name}": value for name, value in wrong.items()}
    canaries = Canaries(_planted(store) | named | {"deputy": deputy.secret})
    return Night(store, canaries, Canaries({"bait": bait}), runs, watch)


def _planted(store: Store) -> dict[str, SecretStr]:
    stack = store.stack
    assert stack.prefect.auth
    issued = stack.aws.issued()
    assert issued
    keys = {f"temporary key {number}": key for number, (key, _) in enumerate(issued)}
    tokens = {f"session token {number}": token for number, (_, token) in enumerate(issued)}
    return {
        **keys,
        **tokens,
        "git": stack.passwords[BOT],
        "the developer's git": stack.passwords[DEVELOPER],
        "signing key": stack.signing_key.private,
        "argocd": stack.argocd.token,
        "registry": stack.registry.password,
        "aws": stack.aws.key.secret,
        "prefect": SecretStr(_text(stack.prefect.auth).partition(":")[2]),
    }


def _text(secret: SecretStr) -> str:
    return secret.get_secret_value()


@contextmanager
def _quoting_hook(store: Store, refs: str) -> Iterator[None]:
    """A hook that refuses every push to `refs`, a pattern, and quotes the password that came with it."""
    hook = store.stack.git.path(store.stack.repository) / "hooks" / "pre-receive"
    kept = hook.read_bytes()
    words = f"error: protected branch: {_text(store.stack.passwords[BOT])} may not push"
    refusal = f"case $ref in {refs}) echo '{words}' >&2; exit 1;; esac"
    hook.write_text(f"#!/bin/sh\nwhile read -r old new ref; do {refusal}; done\n")
    try:
        yield
    finally:
        hook.write_bytes(kept)


@contextmanager
def _spoilt_tag(store: Store, service: str, tag: str) -> Iterator[None]:
    """A registry that can neither read nor move `tag`: where it keeps it lies something else."""
    repositories = store.stack.state / "registry/blobs/docker/registry/v2/repositories"
    folder = repositories / store.environment.service(service).ecr_repository / "_manifests/tags" / tag
    kept = folder.rename(folder.with_name("kept"))
    folder.touch()
    try:
        yield
    finally:
        folder.unlink()
        kept.rename(folder)


def test_the_runs_ended_as_they_should(night: Night) -> None:
    said = {
        "resolve": "refuses the credentials", "plan": "401", "ensure repository": "not authorized",
        "write back": "*** may not push", "build": "exit code: 7", "verify": "401",
        "record verdicts": "*** may not push", "move tags": "500 Internal Server Error",
    }  # fmt: skip
    assert night.runs["none"].state == "COMPLETED", night.runs["none"].message
    assert {stage: run.state for stage, run in night.runs.items() if stage != "none"} == dict.fromkeys(said, "FAILED")
    assert {
        stage: night.runs[stage].message for stage, words in said.items() if words not in night.runs[stage].message
    } == {}
    assert "cannot log in with ***" in night.runs["build"].message


def test_no_table_of_prefects_database_has_one(night: Night) -> None:
    file = night.store.stack.state / "prefect" / "prefect.db"
    ids = {run.id.encode() for run in night.runs.values()}
    wanted = {"log", "flow_run", "flow_run_state", "task_run_state", "artifact", "events"}
    soon(lambda: wanted - {table for table, row in rows(file) if any(each in row for each in ids)}, set[str]())
    assert any(b"***" in row for table, row in rows(file) if table == "log")
    assert names(each for each in night.bait.in_database(file) if each[1] == "log")
    assert night.canaries.in_database(file) == set()


def test_no_object_of_any_repository_has_one(night: Night) -> None:
    state = night.store.stack.state
    mirrors = list((state / "cache" / "mirrors").glob("*.git"))
    assert mirrors
    for repository in [night.store.origin.directory, state / "work", *mirrors]:
        assert night.canaries.in_git(repository) == set()
        assert names(night.bait.in_git(repository)) or repository == state / "work"
    notes = night.store.origin.text("log", "-p", f"refs/notes/argosy/{ENVIRONMENT}")
    assert "cannot log in with ***" in notes


def test_no_image_has_one(night: Night) -> None:
    blobs = night.store.stack.state / "registry" / "blobs"
    baited = {(blobs / file).read_bytes()[:2] for _, file in night.bait.in_files(blobs)}
    assert baited == {b"\x1f\x8b", b'{"'}  # a layer, and the history in a configuration
    assert night.canaries.in_files(blobs) == set()


def test_no_build_cache_has_one(night: Night) -> None:
    stack = night.store.stack
    if not stack.engine.private:
        pytest.skip("THE BUILD CACHE WAS NOT LOOKED AT: the engine is the user's own, and its files lie elsewhere")
    data = stack.state / "engine" / "data"
    assert names(night.bait.in_files(data)) == {"bait"}
    assert night.canaries.in_files(data) == set()


def test_no_file_of_the_state_folder_has_one(night: Night) -> None:
    state = night.store.stack.state
    baited = {file for _, file in night.bait.in_files(state)}
    assert baited >= {"logs/worker.log", f"cache/runs/{night.runs['none'].id}/build-ui.log"}
    assert night.canaries.in_files(state) == set()


def test_no_process_shows_one_but_prefects_own_that_of_its_api(night: Night) -> None:
    assert night.watch.programs >= {"git", "docker"}
    assert {where for _, where, _ in night.watch.found(night.bait)} >= {"cmdline"}  # that of the step which echoes it
    found = night.watch.found(night.canaries)
    needed = {
        each for each in found if each[:2] == ("prefect", "environ") and any(sign in each[2] for sign in _PREFECT)
    }
    assert needed
    assert found - needed == set()


def test_each_line_of_a_build_names_its_service_once_and_on_the_workers_console_its_run(night: Night) -> None:
    run = night.runs["none"].id
    said = [line["message"] for line in night.store.api.logs(run)]
    assert [line for line in said if line.startswith("ui: [")]
    assert not [line for line in said if line.startswith(("[", "#", "ui: ui:", "ui: #"))]
    console = (night.store.stack.state / "logs" / "worker.log").read_text()
    assert f"INFO argosy.tasks run={run} ui: [" in console
