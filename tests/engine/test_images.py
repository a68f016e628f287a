"""The builder, on a real engine and a real registry: what it pushes, how it fails, and what it leaves."""

import hashlib
import io
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import pytest
from pydantic import SecretStr

from argosy.builds import images
from argosy.builds.builders import BuilderHost
from argosy.builds.request import BuildRequest
from argosy.errors import Terminal, Transient
from argosy.models import BuildContext
from argosy.registries.registry import RegistryCredentials
from tests.engine.yard import DOCKERFILE, Yard, add, gone, running, service


def test_nothing_of_the_workers_environment_reaches_the_build_client(tmp_path: Path) -> None:
    worker = {"PATH": "/bin", "HOME": "/root", "AWS_SECRET_ACCESS_KEY": "x", "DOCKER_HOST": "unix:///a"}
    tls = {"DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": "/certs"}
    host = BuilderHost("tcp://builder:2376", worker | tls)
    wanted = {"PATH": f"{tmp_path}:/bin", "DOCKER_HOST": "tcp://builder:2376", "DOCKER_CONFIG": str(tmp_path)}
    assert host.variables(tmp_path) == wanted | tls
    assert BuilderHost(None, worker).variables(tmp_path)["DOCKER_HOST"] == "unix:///a"
    assert "AWS_SECRET" not in repr(host)


def test_a_worker_without_docker_is_told_what_to_install(tmp_path: Path) -> None:
    request = BuildRequest(service(), (), "Dockerfile", lambda stream: None, tmp_path)
    with pytest.raises(Terminal, match="install docker-cli"):
        images.build(request, BuilderHost(None, {"PATH": str(tmp_path)}), {}, print)


@pytest.mark.e2e
def test_an_image_is_built_and_pushed_under_every_tag(yard: Yard, tmp_path: Path) -> None:
    context = BuildContext("src/ui", "x", build_args=(("TEXT", "hello"),), labels=(("team", "shop"),))
    request = yard.request(tmp_path, DOCKERFILE, "1", "content-1")
    request = replace(request, service=service(context=context), labels={"revision": "abc"})
    digest = yard.build(request)
    with yard.client() as registry:
        assert [registry.digest_of("shop/ui", tag) for tag in ("1", "content-1")] == [digest, digest]
        manifest = registry.manifest("shop/ui", digest).content
    assert digest == f"sha256:{hashlib.sha256(manifest).hexdigest()}"
    assert any("RUN echo" in line for line in yard.lines)
    assert request.log.read_text().splitlines() == yard.lines[-len(request.log.read_text().splitlines()) :]
    assert list(tmp_path.iterdir()) == [request.log]


@pytest.mark.e2e
def test_the_same_content_twice_has_one_digest(yard: Yard, tmp_path: Path) -> None:
    first = yard.build(yard.request(tmp_path, DOCKERFILE, "first"))
    assert yard.build(yard.request(tmp_path, DOCKERFILE, "second")) == first
    assert yard.build(yard.request(tmp_path, DOCKERFILE + "ENV A=1\n", "third")) != first


@pytest.mark.e2e
def test_a_first_file_with_a_long_name_is_still_an_archive(yard: Yard, tmp_path: Path) -> None:
    def write(stream: BinaryIO) -> None:
        with tarfile.open(fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT) as archive:
            add(archive, "ä" * 60, b"")
            add(archive, "Dockerfile", b"FROM scratch\nCOPY . /\n")

    yard.build(replace(yard.request(tmp_path, ""), write_context=write, dockerfile="Dockerfile"))


@pytest.mark.e2e
def test_a_failing_step_is_named_with_its_last_words(yard: Yard, tmp_path: Path) -> None:
    request = yard.request(tmp_path, DOCKERFILE + "RUN echo compiling; echo boom; exit 3\n")
    with pytest.raises(Terminal, match=r"^ui: .*RUN echo compiling.*exit code: 3: compiling \| boom"):
        yard.build(request)


@pytest.mark.e2e
def test_a_refused_login_is_terminal(yard: Yard, tmp_path: Path) -> None:
    stranger = replace(yard, user=RegistryCredentials("AWS", SecretStr("wrong")))
    with pytest.raises(Terminal, match="401 Unauthorized"):
        stranger.build(yard.request(tmp_path, DOCKERFILE))


@pytest.mark.e2e
def test_a_hanging_build_meets_its_timeout_and_is_gone(yard: Yard, tmp_path: Path) -> None:
    request = yard.request(tmp_path, DOCKERFILE + "RUN sleep 7654\n", timeout=4)
    with pytest.raises(Terminal, match=r"ended after 4 s, at: .*RUN sleep 7654"):
        yard.build(request)
    assert running(str(tmp_path)) == []
    assert gone("sleep\0007654")


@pytest.mark.e2e
@pytest.mark.parametrize("where", ["in the context", "in a line"])
def test_an_interrupted_build_is_gone(yard: Yard, tmp_path: Path, where: str) -> None:
    def interrupt(line: str) -> None:
        if line.endswith("begun") and "echo" not in line:  # earlier, the engine may be about to start the step
            raise KeyboardInterrupt

    request = yard.request(tmp_path, DOCKERFILE + "RUN echo begun; sleep 8765\n")
    if where == "in the context":
        request = replace(request, write_context=broken(request.write_context))
    with pytest.raises(KeyboardInterrupt):
        images.build(request, yard.host, {yard.registry: yard.user}, interrupt)
    assert running(str(tmp_path)) == []
    assert gone("sleep\0008765")


def broken(write: Callable[[BinaryIO], None]) -> Callable[[BinaryIO], None]:
    def half(stream: BinaryIO) -> None:
        whole = io.BytesIO()
        write(whole)
        stream.write(whole.getvalue()[:-10_240])
        raise KeyboardInterrupt

    return half


@pytest.mark.e2e
def test_a_client_that_ends_before_it_read_the_context_says_itself_why(yard: Yard, tmp_path: Path) -> None:
    def endless(stream: BinaryIO) -> None:
        while True:
            stream.write(bytes(1 << 20))

    nowhere = BuilderHost(f"unix://{tmp_path}/docker.sock", yard.host.environment)
    request = replace(yard.request(tmp_path, DOCKERFILE), write_context=endless)
    with pytest.raises(Transient, match="Cannot connect to the Docker daemon"):
        yard.build(request, nowhere)


@pytest.mark.e2e
@pytest.mark.skipif(any(Path("/usr").glob("l*/docker/cli-plugins/docker-buildx")), reason="buildx is the system's")
def test_a_client_without_buildx_is_told_apart(yard: Yard, tmp_path: Path) -> None:
    environment = {**yard.host.environment, "DOCKER_CONFIG": str(tmp_path)}
    bare = BuilderHost(yard.host.docker_host, environment)
    with pytest.raises(Terminal, match="buildx plugin"):
        yard.build(yard.request(tmp_path, DOCKERFILE), bare)
