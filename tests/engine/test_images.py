"""The builder, on a real engine and a real registry: what it pushes, how it fails, and what it leaves."""

import hashlib
import io
import os
import tarfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO

import pytest
from pydantic import SecretStr

from argosy import images
from argosy.errors import Terminal, Transient
from argosy.home import home
from argosy.images import BuilderHost, BuildRequest
from argosy.models import BuildContext, ImageReference, Service
from argosy.registry import Registry, RegistryCredentials
from deployments.local import registry as local
from deployments.local.engine import Engine, packages
from deployments.local.packages import unpack
from tests import processes

DOCKERFILE = """\
FROM scratch
COPY busybox /bin/sh
ARG TEXT=none
RUN echo "$TEXT" >/text
"""


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


@dataclass(frozen=True)
class Yard:
    """A real engine and a real registry behind a password."""

    host: BuilderHost
    registry: str
    user: RegistryCredentials
    busybox: bytes
    lines: list[str] = field(default_factory=list)

    def build(self, request: BuildRequest, host: BuilderHost | None = None) -> str:
        return images.build(request, host or self.host, {self.registry: self.user}, self.lines.append)

    def request(self, scratch: Path, dockerfile: str, *tags: str, timeout: float = 60) -> BuildRequest:
        def write(stream: BinaryIO) -> None:
            with tarfile.open(fileobj=stream, mode="w|") as archive:
                add(archive, "busybox", self.busybox)
                add(archive, "deep/Dockerfile", dockerfile.encode())

        references = tuple(ImageReference(f"{self.registry}/shop/ui", tag) for tag in tags or ("1",))
        return BuildRequest(service(timeout), references, "deep/Dockerfile", write, scratch)

    def client(self) -> Registry:
        return Registry(self.registry, self.user)


def add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode, member.mtime = len(content), 0o755, 315_532_800
    archive.addfile(member, io.BytesIO(content))


def service(timeout: float = 60, *, context: BuildContext | None = None) -> Service:
    build = context or BuildContext("src/ui", "src/ui/deep/Dockerfile", labels=(("team", "shop"),))
    return Service("ui", "src/ui", "src/ui/chart", "src/ui/chart/values.yaml", "shop/ui", build, timeout=timeout)


@pytest.fixture(scope="module")
def yard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Yard]:
    cache, state = home() / "packages", tmp_path_factory.mktemp("yard")
    user = RegistryCredentials(local.USER, SecretStr("a password"))
    store = local.Registry(local.binary(cache), user.password, state=state)
    busybox = (unpack(packages(), cache) / "bin/busybox").read_bytes()
    with Engine(state, cache) as engine, store:
        host = BuilderHost(engine.docker_host, engine.environment())
        yield Yard(host, store.host, user, busybox)


def running(marker: str) -> list[str]:
    """The processes that carry `marker` in their command line or their environment."""
    told = processes.shown("cmdline", "environ")
    ours = ((folder, words) for folder, words in told if folder.name != str(os.getpid()))
    return [f"{folder}: {words[:200]!r}" for folder, words in ours if marker.encode() in words]


def gone(marker: str, seconds: float = 10) -> bool:
    """Whether nothing that carries `marker` runs any more; the engine ends a step when its client is gone."""
    deadline = time.monotonic() + seconds
    while found := running(marker):
        if time.monotonic() > deadline:
            return not found
        time.sleep(0.05)
    return True


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
        if "RUN sleep 8765" in line:
            raise KeyboardInterrupt

    request = yard.request(tmp_path, DOCKERFILE + "RUN sleep 8765\n")
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
