"""No secret is found anywhere after runs that succeed, and after runs that fail at each stage."""

from __future__ import annotations

import gzip
import os
import secrets
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from deployments.local.aws import PIPELINE_ACTIONS
from deployments.local.git_server import BOT, DEVELOPER
from deployments.local.prefect_api import FlowRun
from tests.deployments.waiting import soon
from tests.e2e.canaries import Canaries, Watch, names, rows
from tests.e2e.store import ENVIRONMENT, Store

_ECHO = """
RUN env; cat /run/secrets/* /root/.docker/config.json /proc/*/environ 2>/dev/null; ls -laR /run/secrets; exit 7
"""
# The Prefect API is opened by one setting, which its server and its clients read from their environment.
# What they start to ask what machine they are on (`file`, for Python's platform module) has the same environment.
_PREFECT = ("-m prefect server start", "prefect.server.api.server", "-m prefect worker start", "-m prefect.engine",
            "file -b ")  # fmt: skip


@dataclass(frozen=True)
class Night:
    """What happened, by the stage that failed, and how to look for what must not be found."""

    store: Store
    canaries: Canaries
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
    with Watch() as watch, _block(store, "aws-credentials", "aws", **key, assume_role_arn=pipeline):
        store.settle()
        store.change("ui")
        runs["none"] = store.release()
        with _block(store, "gitops-repository", token=_text(wrong["git"])):
            runs["resolve"] = store.release()
        login = {"aws_credentials": None, "username": "AWS", "token": _text(wrong["registry"])}
        with _block(store, "container-registry", "registry", **login):
            runs["plan"] = store.release()
        whole = store.read("src/cart/Dockerfile")
        store.change("ui", "cart", **{"src/cart/Dockerfile": whole + _ECHO})
        with _block(store, "aws-credentials", "aws", assume_role_arn=powerless):
            runs["ensure repository"] = store.release()
        with _quoting_hook(store):
            runs["write back"] = store.release()
        with store.failing_syncs("ui", f"cannot log in with {_text(store.stack.passwords[BOT])}"):
            runs["build"] = store.release()
        store.change(**{"src/cart/Dockerfile": whole})
        with _block(store, "argocd-server", "argocd", token=_text(wrong["argocd"])):
            runs["verify"] = store.release()
    named = {f"wrong {name}": value for name, value in wrong.items()}
    return Night(store, Canaries(_planted(store) | named | {"deputy": deputy.secret}), runs, watch)


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
def _block(store: Store, kind: str, suffix: str = "", **values: Any) -> Iterator[None]:
    """Let the block of the environment have other values for a while."""
    call, name = store.api._call, f"argosy-{ENVIRONMENT}-{suffix}" if suffix else store.stack.repository
    found = call("GET", f"/block_types/slug/{kind}/block_documents/name/{name}?include_secrets=true")
    path = f"/block_documents/{found['id']}"
    references = {
        field: {"$ref": {"block_document_id": each["block_document"]["id"]}}
        for field, each in found["block_document_references"].items()
    }
    before = {field: references.get(field, found["data"].get(field)) for field in values}
    call("PATCH", path, {"data": values})
    try:
        yield
    finally:
        call("PATCH", path, {"data": before})


@contextmanager
def _quoting_hook(store: Store) -> Iterator[None]:
    """A hook that refuses every push and quotes the password that came with it."""
    hook = store.stack.git.path(store.stack.repository) / "hooks" / "pre-receive"
    kept = hook.read_bytes()
    words = f"error: protected branch: {_text(store.stack.passwords[BOT])} may not push"
    hook.write_text(f"#!/bin/sh\ncat >/dev/null\necho '{words}' >&2\nexit 1\n")
    try:
        yield
    finally:
        hook.write_bytes(kept)


def test_the_runs_ended_as_they_should(night: Night) -> None:
    said = {
        "resolve": "refuses the credentials", "plan": "401", "ensure repository": "not authorized",
        "write back": "*** may not push", "build": "exit code: 7", "verify": "401",
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
    assert night.canaries.in_database(file) == set()


def test_no_object_of_any_repository_has_one(night: Night) -> None:
    state = night.store.stack.state
    mirrors = list((state / "cache" / "mirrors").glob("*.git"))
    assert mirrors
    for repository in [night.store.origin.directory, state / "work", *mirrors]:
        assert night.canaries.in_git(repository) == set()
    notes = night.store.origin.text("log", "-p", f"refs/notes/argosy/{ENVIRONMENT}")
    assert "cannot log in with ***" in notes


def test_no_image_has_one(night: Night) -> None:
    blobs = night.store.stack.state / "registry" / "blobs"
    kinds = {kind for file in blobs.rglob("data") for kind in (b"\x1f\x8b", b'{"') if file.read_bytes()[:2] == kind}
    assert len(kinds) == 2  # layers, and manifests or configurations
    assert night.canaries.in_files(blobs) == set()


def test_no_file_of_the_state_folder_has_one(night: Night) -> None:
    assert night.canaries.in_files(night.store.stack.state) == set()


def test_no_process_shows_one_but_prefects_own_that_of_its_api(night: Night) -> None:
    assert night.watch.programs >= {"git", "docker"}
    found = night.watch.found(night.canaries)
    needed = {
        each for each in found if each[:2] == ("prefect", "environ") and any(sign in each[2] for sign in _PREFECT)
    }
    assert needed
    assert found - needed == set()


def test_each_line_of_a_build_names_its_service_once_and_on_the_workers_console_its_run(night: Night) -> None:
    run = night.runs["none"].id
    said = [line["message"] for line in night.store.api.logs(run)]
    assert [line for line in said if line.startswith("ui: #")]
    assert not [line for line in said if line.startswith(("#", "ui: ui:"))]
    console = (night.store.stack.state / "logs" / "worker.log").read_text()
    assert f"INFO argosy.tasks run={run} ui: #" in console


@pytest.fixture
def leaky(tmp_path: Path) -> tuple[Canaries, str]:
    value = f"p+{secrets.token_urlsafe(24)}/&"
    return Canaries({"planted": SecretStr(value)}), value


def test_a_leak_into_a_file_a_layer_or_a_name_would_be_found(leaky: tuple[Canaries, str], tmp_path: Path) -> None:
    canaries, value = leaky
    (tmp_path / "build.log").write_text(f"#7 0.1 {value}\n")
    (tmp_path / "layer").write_bytes(gzip.compress(f"etc/token\0{value}".encode()))
    (tmp_path / "link").symlink_to(f"/nowhere/{value}")
    assert canaries.in_files(tmp_path) == {("planted", "build.log"), ("planted", "layer")} | {
        ("planted", "link") for _ in [0] if "/" not in value[:-2]
    }
    assert canaries.in_files(tmp_path, lambda file: True) == set()


def test_a_leak_into_the_database_or_gits_objects_would_be_found(leaky: tuple[Canaries, str], tmp_path: Path) -> None:
    canaries, value = leaky
    with closing(sqlite3.connect(tmp_path / "x.db")) as database:
        database.execute("CREATE TABLE log (message TEXT)")
        database.execute("INSERT INTO log VALUES (?)", (f"Basic {value}",))
        database.commit()
    assert canaries.in_database(tmp_path / "x.db") == {("planted", "log")}
    subprocess.run(["git", "init", "--quiet", "--bare", str(tmp_path / "r")], check=True)
    git = ["git", "-C", str(tmp_path / "r"), "hash-object", "-w", "--stdin"]
    subprocess.run(git, input=value.encode(), check=True, stdout=subprocess.DEVNULL)
    assert names(canaries.in_git(tmp_path / "r")) == {"planted"}
    assert names(canaries.in_files(tmp_path / "r")) == {"planted"}


def test_a_leak_into_arguments_or_environment_would_be_found(leaky: tuple[Canaries, str]) -> None:
    canaries, value = leaky
    with Watch() as watch, ExitStack() as ending:
        for arguments, extra in ((["0", value], {}), (["1"], {"TOKEN": value})):
            env = {"PATH": os.environ["PATH"], **extra}
            process = subprocess.Popen(["sh", "-c", "read line", *arguments], env=env, stdin=subprocess.PIPE)
            ending.callback(process.communicate)
        soon(lambda: {where for _, where, _ in watch.found(canaries)}, {"cmdline", "environ"})
