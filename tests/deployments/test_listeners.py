"""Every part of the stack against somebody else who listens on its port and answers whatever is asked."""

from __future__ import annotations

import errno
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pydantic import SecretStr

from argosy.errors import ArgosyError
from deployments.local.argocd.controller import Following
from deployments.local.argocd.server import ArgoCDStandIn
from deployments.local.aws import AccessKey, Aws
from deployments.local.bridge import Bridge
from deployments.local.git_server import GitServer
from deployments.local.part import Part
from deployments.local.ports import Port
from deployments.local.prefect_server import PrefectServer
from deployments.local.process import Process, environment
from deployments.local.registry import Registry, binary

PASSWORD = SecretStr("of the tests")


def git(state: Path, _packages: Path) -> tuple[Part, str]:
    part = GitServer({}, state=state)
    return part, part.url("shop")


def registry(state: Path, packages: Path) -> tuple[Part, str]:
    part = Registry(binary(packages), PASSWORD, state=state)
    return part, f"http://{part.host}"


def aws(state: Path, _packages: Path) -> tuple[Part, str]:
    part = Aws(state=state)
    return part, part.endpoint_url


def bridge(state: Path, _packages: Path) -> tuple[Part, str]:
    cloud = Aws(state=state)
    cloud.bridge_key = AccessKey("bridge", "id", PASSWORD)
    part = Bridge(cloud, "127.0.0.1:1", PASSWORD, state=state)
    return part, part.url


def argocd(state: Path, _packages: Path) -> tuple[Part, str]:
    part = ArgoCDStandIn((state / "nowhere").as_uri(), "127.0.0.1:1", Following(("main",)), state=state)
    return part, part.url


def prefect(state: Path, _packages: Path) -> tuple[Part, str]:
    part = PrefectServer(state=state)
    return part, part.ui_url


class Agreeable(BaseHTTPRequestHandler):
    """Says that all is well."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def stranger(port: int) -> Iterator[None]:
    with ThreadingHTTPServer(("127.0.0.1", port), Agreeable) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("make", [git, registry, aws, bridge, argocd, prefect])
def test_a_part_never_takes_anothers_listener_for_its_own(
    make: Callable[[Path, Path], tuple[Part, str]], tmp_path: Path, packages: Path
) -> None:
    part, url = make(tmp_path, packages)
    with stranger(urlsplit(url).port or 0), pytest.raises(ArgosyError, match=r"(?i)address already in use"):
        part.start()
    assert [*tmp_path.glob("run/*")] == []


def test_a_process_that_ends_beside_anothers_listener_has_not_started(tmp_path: Path) -> None:
    port = Port()
    brief = Process("brief", [sys.executable, "-c", ""], state=tmp_path, env=environment(tmp_path), port=port)
    with stranger(port.number), pytest.raises(ArgosyError, match="ended while starting"):
        brief.start()


def test_a_port_is_given_to_nobody_else_until_its_part_comes_and_between_two_starts(tmp_path: Path) -> None:
    server = GitServer({}, state=tmp_path)
    address = ("127.0.0.1", urlsplit(server.url("shop")).port or 0)
    for _ in range(2):
        with closing(socket.socket()) as other, pytest.raises(OSError, match="in use") as refused:
            other.bind(address)
        assert refused.value.errno == errno.EADDRINUSE
        with server, socket.create_connection(address):
            pass
