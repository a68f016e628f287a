"""Where images are built: on an engine, by a builder with a name, by a daemon at an address; and by which client."""

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from argosy.builds import clients as build_clients
from argosy.builds.builders import BuilderHost, BuilderTLS
from argosy.builds.options import Builder, Limits
from argosy.errors import Terminal, Transient
from argosy.models import BuildContext
from deployments.local.packages import unpack
from tests.engine.buildkit_daemon import daemon, mutual
from tests.engine.certificates import self_signed
from tests.engine.yard import DOCKERFILE, REPOSITORY, Yard, running, service, with_path

pytestmark = pytest.mark.e2e

OLD_CLIENT = "docker.io/bookworm"
"""Debian 12's client, 20.10: it has BuildKit inside, and no buildx."""


@pytest.fixture
def client(yard: Yard) -> str:
    """The docker client of the yard's engine."""
    return yard.host.client() or "docker"


@pytest.fixture
def variables(yard: Yard) -> dict[str, str]:
    """The environment in which a client of the yard's engine runs."""
    return yard.host.variables(Path(yard.host.environment["DOCKER_CONFIG"]))


@pytest.fixture
def address(client: str, variables: dict[str, str]) -> Iterator[str]:
    with daemon(client, variables) as address:
        yield address


def nowhere(yard: Yard, builder: Builder) -> BuilderHost:
    """A host whose engine does not answer, so that the builder alone can have built."""
    return replace(yard.host, docker_host="unix:///nowhere/docker.sock", builder=builder)


def test_a_daemon_at_an_address_builds_and_pushes(yard: Yard, address: str, tmp_path: Path) -> None:
    digest = yard.build(yard.request(tmp_path, DOCKERFILE, "remote"), nowhere(yard, Builder(address=address)))
    with yard.client() as registry:
        assert registry.digest_of(REPOSITORY, "remote") == digest
    assert [file.name for file in tmp_path.iterdir()] == ["build-ui.log"]


def test_an_engine_and_a_daemon_build_the_same_image(yard: Yard, address: str, tmp_path: Path) -> None:
    request = replace(yard.request(tmp_path, DOCKERFILE + "RUN echo a >/a\n", "same"), epoch=1, fresh=True)
    assert yard.build(request) == yard.build(request, nowhere(yard, Builder(address=address)))


def test_a_daemon_behind_tls_lets_in_whoever_has_the_key(
    yard: Yard, client: str, variables: dict[str, str], tmp_path: Path
) -> None:
    file = self_signed(tmp_path)
    key, _, certificate = file.read_text().partition("-----BEGIN CERTIFICATE-----")
    whole = "-----BEGIN CERTIFICATE-----" + certificate
    tls = BuilderTLS(whole, whole, SecretStr(key))
    (tmp_path / "other").mkdir()
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    stranger = self_signed(tmp_path / "other").read_text().partition("-----BEGIN CERTIFICATE-----")
    with daemon(client, variables, mutual(file)) as address:
        host = replace(nowhere(yard, Builder(address=address, tls="fleet")), tls=tls)
        yard.build(yard.request(scratch, DOCKERFILE, "tls"), host)
        theirs = BuilderTLS(whole, f"{stranger[1]}{stranger[2]}", SecretStr(stranger[0]))
        with pytest.raises((Terminal, Transient)):
            yard.build(yard.request(scratch, DOCKERFILE, "no"), replace(host, tls=theirs))
    with yard.client() as registry:
        assert registry.digest_of(REPOSITORY, "no") is None
    assert [path.name for path in scratch.iterdir()] == ["build-ui.log"]
    assert running(str(scratch)) == []


def test_a_daemon_that_does_not_answer_may_do_so_later(yard: Yard, client: str, tmp_path: Path) -> None:
    with daemon(client, {}) as address:
        pass
    with pytest.raises(Transient, match=r"the builder at tcp://127.0.0.1:\d+ does not answer"):
        yard.build(yard.request(tmp_path, DOCKERFILE), nowhere(yard, Builder(address=address)))


@pytest.fixture
def named(yard: Yard, client: str, variables: dict[str, str], address: str, tmp_path: Path) -> BuilderHost:
    """A host whose worker has a builder called fleet in its own configuration."""
    own = tmp_path / "own"
    own.mkdir()
    (own / "cli-plugins").symlink_to(Path(yard.host.environment["DOCKER_CONFIG"]) / "cli-plugins")
    environment = {**variables, "DOCKER_CONFIG": str(own)}
    create = [client, "buildx", "create", "--name=fleet", "--driver=remote", address]
    subprocess.run(create, env=environment, check=True, capture_output=True, timeout=60)
    return BuilderHost("unix:///nowhere/docker.sock", environment, Builder(name="fleet"))


def test_a_builder_of_the_workers_is_found_by_its_name_though_the_login_is_private(
    yard: Yard, named: BuilderHost, tmp_path: Path
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    digest = yard.build(yard.request(scratch, DOCKERFILE, "named"), named)
    with yard.client() as registry:
        assert registry.digest_of(REPOSITORY, "named") == digest
    assert not (tmp_path / "own/config.json").exists()


def test_a_builder_that_the_worker_has_not_is_named_with_what_makes_it(
    yard: Yard, named: BuilderHost, tmp_path: Path
) -> None:
    lost = replace(named, builder=Builder(name="lost"))
    with pytest.raises(Terminal, match=r"ui: the worker has no builder lost: .*docker buildx create"):
        yard.build(yard.request(tmp_path, DOCKERFILE), lost)


def test_an_engine_by_its_name_is_refused_as_a_builder(yard: Yard, tmp_path: Path) -> None:
    with pytest.raises(Terminal, match="Docker Host block"):
        yard.build(yard.request(tmp_path, DOCKERFILE), replace(yard.host, builder=Builder(name="default")))


def broken(folder: Path) -> Path:
    """A docker client without buildx and without BuildKit, as newer ones are without their plugin."""
    client = folder / "broken/docker"
    client.parent.mkdir()
    client.write_text('#!/bin/sh\n[ "$1" = version ] && echo 28.2.2 && exit 0\nexit 1\n')
    client.chmod(0o755)
    return client.parent


def test_a_client_without_buildx_that_comes_first_is_passed_over(yard: Yard, client: str, tmp_path: Path) -> None:
    host = replace(yard.host, environment=with_path(yard.host.environment, broken(tmp_path), Path(client).parent))
    yard.build(yard.request(tmp_path, DOCKERFILE, "second"), host)
    assert build_clients.find(host, tmp_path).program == client


def test_where_no_client_can_build_it_is_said_what_to_install(yard: Yard, tmp_path: Path) -> None:
    environment = {"PATH": str(broken(tmp_path)), "DOCKER_CONFIG": str(tmp_path)}
    with pytest.raises(Terminal, match="docker-buildx"):
        yard.build(yard.request(tmp_path, DOCKERFILE), BuilderHost(yard.host.docker_host, environment))


@pytest.fixture
def old(yard: Yard, packages: Path, tmp_path: Path) -> BuilderHost:
    """A worker that has Debian 12's client, and nothing else."""
    client = unpack([OLD_CLIENT], packages) / "usr/bin"
    return replace(yard.host, environment={"PATH": str(client), "DOCKER_CONFIG": str(tmp_path)})


def test_a_client_with_buildkit_inside_builds_with_secrets_and_pushes(
    yard: Yard, old: BuilderHost, tmp_path: Path
) -> None:
    dockerfile = DOCKERFILE + "RUN --mount=type=secret,id=token,required=true wc -c </run/secrets/token >/length\n"
    context = BuildContext("src/ui", "x", build_args=(("TEXT", "hello"),), labels=(("team", "shop"),))
    request = replace(
        yard.request(tmp_path, dockerfile, "old", "older"), secrets={"token": SecretStr("a secret")},
        service=service(context=context), epoch=1_600_000_000,
    )  # fmt: skip
    digest = yard.build(request, old)
    with yard.client() as registry:
        assert [registry.digest_of(REPOSITORY, tag) for tag in ("old", "older")] == [digest, digest]
    assert yard.config("old")["config"]["Labels"] == {"team": "shop"}
    assert yard.config("old")["created"] == "2020-09-13T12:26:40Z"
    assert yard.build(request) == digest  # and buildx makes the same of it
    assert [file.name for file in tmp_path.iterdir()] == ["build-ui.log"]


@pytest.mark.parametrize(
    ("change", "lacking"),
    [
        ({"service": service(context=BuildContext("a", "b", platform=("linux/amd64", "linux/arm64")))}, "platforms"),
        ({"contexts": {"libs": "/nowhere"}}, "build.contexts"),
        ({"service": replace(service(), build=replace(service().build, provenance="min"))}, "attestations"),
        ({"service": replace(service(), build=replace(service().build, limits=Limits("/x")))}, "build.limits"),
    ],
)
def test_what_a_client_with_buildkit_inside_cannot_do_is_named_with_the_remedy(
    yard: Yard, old: BuilderHost, tmp_path: Path, change: dict[str, object], lacking: str
) -> None:
    request = replace(yard.request(tmp_path, DOCKERFILE), **change)  # type: ignore[arg-type]
    with pytest.raises(Terminal, match=f"{lacking}.*install docker-buildx"):
        yard.build(request, old)


def test_limits_reach_the_steps_of_a_build(yard: Yard, tmp_path: Path) -> None:
    limits = Limits(shm_size=64_000_000, ulimits=(("nofile", 321),))
    dockerfile = DOCKERFILE + "RUN echo files $(ulimit -n); grep -o 'shm.*size=[0-9]*k' /proc/mounts\n"
    request = replace(yard.request(tmp_path, dockerfile, "limits"), fresh=True)
    yard.build(replace(request, service=replace(service(), build=replace(service().build, limits=limits))))
    said = (tmp_path / "build-ui.log").read_text()
    assert "files 321" in said
    assert "size=62500k" in said


def test_the_builders_cache_is_cut_to_its_size(yard: Yard, tmp_path: Path) -> None:
    yard.build(yard.request(tmp_path, DOCKERFILE + "RUN echo cut >/cut\n", "cut"))
    found = build_clients.find(yard.host, tmp_path)
    assert build_clients.cut(found, yard.host, tmp_path, 10**13) is None
    assert "echo cut >/cut" in yard.docker("buildx", "du", "--verbose")
    assert build_clients.cut(found, yard.host, tmp_path, 1) is None
    assert "echo cut >/cut" not in yard.docker("buildx", "du", "--verbose")
    assert list(tmp_path.iterdir()) == [tmp_path / "build-ui.log"]


def test_a_cache_that_cannot_be_cut_is_told_and_raises_nothing(yard: Yard, tmp_path: Path) -> None:
    found = build_clients.find(yard.host, tmp_path)
    assert "Cannot connect" in (build_clients.cut(found, nowhere(yard, Builder()), tmp_path, 1) or "")
