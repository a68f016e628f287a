"""What the doctor says of the machine, shown to it with programs that answer as the real ones do."""

from __future__ import annotations

import json
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from argosy.builds.builders import BuilderHost
from argosy.doctor import machine
from argosy.doctor.findings import Finding, Level, probed
from deployments.local.engine import packages as engine_packages
from deployments.local.packages import unpack
from deployments.local.process import free_port
from tests.engine.certificates import self_signed, server_side
from tests.engine.helm import Bench
from tests.engine.web import Answer, served


def program(folder: Path, name: str, script: str) -> Path:
    folder.mkdir(exist_ok=True)
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return file


def host(folder: Path, docker_host: str | None = None) -> BuilderHost:
    return BuilderHost(docker_host, {"PATH": f"{folder}:{os.defpath}", "HOME": str(folder)})


def level(findings: tuple[Finding, ...], what: str) -> Level:
    return next(finding.level for finding in findings if finding.what == what)


def test_a_git_that_signs_with_ssh_keys_is_good_and_an_older_one_is_not(tmp_path: Path) -> None:
    assert probed("git", "", lambda: machine.git_version(os.environ["PATH"])).level is Level.GOOD
    program(tmp_path / "old", "git", "echo git version 2.30.2")
    assert "2.34" in probed("git", "", lambda: machine.git_version(str(tmp_path / "old"))).remedy
    assert "no git" in probed("git", "", lambda: machine.git_version(str(tmp_path / "none"))).why


@pytest.mark.parametrize(("kind", "package"), [("ssh", "OpenSSH"), ("gpg", "GnuPG")])
def test_a_machine_without_a_signer_is_told_what_to_install(tmp_path: Path, kind: str, package: str) -> None:
    finding = probed("signing", "", lambda: machine.signer(str(tmp_path), kind))
    assert (finding.level, package in finding.remedy) == (Level.WRONG, True)


def test_a_machine_without_helm_is_wrong_only_where_charts_have_to_be_rendered(tmp_path: Path) -> None:
    nowhere = str(tmp_path / "none")
    assert machine.helm(nowhere, {"off"}) == []
    [skipped] = machine.helm(nowhere, {"off", "auto"})
    [wrong] = machine.helm(nowhere, {"auto", "required"})
    assert (skipped.level, wrong.level) == (Level.SKIPPED, Level.WRONG)
    assert "not rendered" in skipped.why
    assert all("install Helm 3" in finding.remedy for finding in (skipped, wrong))


def test_a_helm_that_renders_is_good_and_an_older_one_is_not(tmp_path: Path) -> None:
    Bench.at(tmp_path)
    [good] = machine.helm(f"{tmp_path}/bin:{os.defpath}", {"required"})
    assert (good.level, "v3.18" in good.why) == (Level.GOOD, True)
    program(tmp_path / "old", "helm", "echo 'Client: v2.17.0+ga690bad'")
    [old] = machine.helm(f"{tmp_path}/old:{os.defpath}", {"required"})
    assert (old.level, "Helm 3" in old.remedy) == (Level.WRONG, True)


def test_a_machine_without_docker_is_told_what_to_install(tmp_path: Path) -> None:
    empty = BuilderHost(environment={"PATH": str(tmp_path)})
    (finding,) = machine.engine(empty)
    assert (finding.level, "either Docker or root" in finding.remedy) == (Level.WRONG, True)


@pytest.fixture(scope="module")
def client(packages: Path) -> Path:
    """The folder of a real docker client, with its plugins where it looks for them."""
    return unpack(engine_packages(), packages) / "usr/bin"


def real(client: Path, home: Path, docker_host: str) -> BuilderHost:
    plugins = home / ".docker/cli-plugins"
    plugins.mkdir(parents=True)
    for plugin in client.parent.glob("lib*/docker/cli-plugins/docker-buildx"):
        (plugins / plugin.name).symlink_to(plugin)
    return BuilderHost(docker_host, {"PATH": f"{client}:{os.defpath}", "HOME": str(home)})


def test_an_engine_that_is_down_is_down(client: Path, tmp_path: Path) -> None:
    (finding,) = machine.engine(real(client, tmp_path, f"tcp://127.0.0.1:{free_port()}"))
    assert (finding.level, "DOCKER_HOST" in finding.remedy) == (Level.DOWN, True)


def test_an_engine_whose_certificate_is_not_trusted_is_no_engine_that_is_down(client: Path, tmp_path: Path) -> None:
    server = server_side(self_signed(tmp_path))
    ours = self_signed(tmp_path).read_bytes()  # a key, its certificate, and an authority that did not sign the server's
    for name in ("ca.pem", "cert.pem", "key.pem"):
        (tmp_path / name).write_bytes(ours)
    with served(lambda _request: Answer(200), server) as address:
        builder = real(client, tmp_path, f"tcp://{address}")
        tls = {"DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": str(tmp_path)}
        (finding,) = machine.engine(replace(builder, environment={**builder.environment, **tls}))
    assert (finding.level, "x509" in finding.why) == (Level.WRONG, True)
    assert "DOCKER_CERT_PATH as ca.pem" in finding.remedy


def test_an_engine_that_never_answers_meets_a_time_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_SECONDS", 0.5)
    program(tmp_path, "docker", "exec sleep 60")
    (finding,) = machine.engine(host(tmp_path))
    assert (finding.level, "did not end within" in finding.why) == (Level.DOWN, True)


def test_an_engine_that_lets_this_user_not_in_is_no_engine_that_is_down(tmp_path: Path) -> None:
    said = "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock"
    program(tmp_path, "docker", f"echo '{said}' >&2; exit 1")
    (finding,) = machine.engine(host(tmp_path))
    assert (finding.level, "docker group" in finding.remedy) == (Level.WRONG, True)


def test_a_client_without_buildx_is_told_what_to_install(tmp_path: Path) -> None:
    says = "if [ $1 = buildx ]; then echo \"docker: 'buildx' is not a docker command.\" >&2; exit 1; fi; echo 27.0"
    program(tmp_path, "docker", says)
    finding = machine.engine(host(tmp_path))[1]
    assert (finding.what, finding.level, "docker-buildx" in finding.remedy) == ("BuildKit", Level.WRONG, True)


def test_an_engine_without_buildkit_is_named_by_the_real_client(client: Path, tmp_path: Path) -> None:
    with old_engine() as address:
        findings = machine.engine(real(client, tmp_path, address))
    assert level(findings, "Docker") is Level.GOOD
    finding = next(finding for finding in findings if finding.what == "BuildKit")
    assert (finding.level, "has no BuildKit" in finding.why) == (Level.WRONG, True)
    assert "Docker Engine 23" in finding.remedy


@contextmanager
def old_engine() -> Iterator[str]:
    """An engine from before BuildKit: it knows neither `/grpc` nor `/session`."""
    answers = {
        "_ping": "OK",
        "version": {"Version": "18.06.3", "ApiVersion": "1.38", "MinAPIVersion": "1.12", "Os": "linux"},
        "info": {"ServerVersion": "18.06.3", "OSType": "linux", "DockerRootDir": "/nowhere"},
    }

    class Handler(BaseHTTPRequestHandler):
        def respond(self) -> None:
            found = answers.get(self.path.rpartition("/")[2])
            body = json.dumps(found or {"message": "page not found"}).encode()
            self.send_response(200 if found else 404)
            fields = {"Api-Version": "1.38", "Ostype": "linux", "Content-Length": str(len(body))}
            for name, value in {**fields, "Content-Type": "application/json"}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_GET = do_HEAD = do_POST = respond  # noqa: N815 - the names are those of the base class

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"tcp://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_disk_with_room_is_good_and_one_with_little_is_warned_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = shutil.disk_usage(tmp_path).free
    monkeypatch.setattr(machine, "_LITTLE", free // 2)
    monkeypatch.setattr(machine, "_TOO_LITTLE", free // 4)
    assert machine.disk("cache", tmp_path / "not/made/yet").level is Level.GOOD
    monkeypatch.setattr(machine, "_LITTLE", free * 2)
    assert machine.disk("cache", tmp_path).level is Level.WARNING
    monkeypatch.setattr(machine, "_TOO_LITTLE", free * 2)
    assert (machine.disk("cache", tmp_path).level, machine.disk("cache", tmp_path).remedy[:9]) == (
        Level.WRONG,
        "make room",
    )
