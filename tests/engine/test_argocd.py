"""The client against a real HTTP server on this machine."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import SecretStr

from argosy.argocd.client import ArgoCD
from argosy.errors import Terminal, Transient
from tests.engine.argocd_documents import OURS, document

TOKEN = SecretStr("t0ken-of-the-tests")
BUSY = {"error": "another operation is already in progress", "code": 9}
PINNED = {"error": "Cannot sync to abc: auto-sync currently set to main", "code": 9}
DENIED = {"error": "permission denied", "code": 7, "message": "permission denied"}


class Server(ThreadingHTTPServer):
    """Answers every request with `status` and `body`, and keeps what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.status = 200
        self.body: bytes = b"{}"
        self.asked: list[tuple[str, str, dict[str, list[str]], str, Any]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def answers(self, body: object, status: int = 200) -> None:
        self.body, self.status = json.dumps(body).encode(), status


class Handler(BaseHTTPRequestHandler):
    server: Server

    def answer(self) -> None:
        sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        url = urlsplit(self.path)
        authorization = self.headers.get("Authorization", "")
        body = json.loads(sent) if sent else None
        self.server.asked.append((self.command, url.path, parse_qs(url.query), authorization, body))
        self.send_response(self.server.status)
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    do_GET = do_POST = answer  # noqa: N815 - the names are the library's

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def client(server: Server) -> Iterator[ArgoCD]:
    with ArgoCD(server.url, TOKEN) as client:
        yield client


def test_an_application_is_asked_for_by_name_and_project_with_the_token(server: Server, client: ArgoCD) -> None:
    server.answers(document())
    assert client.application("retail-store-ui", "retail-store").revisions == (OURS,)
    method, path, query, authorization, _ = server.asked[0]
    assert (method, path) == ("GET", "/api/v1/applications/retail-store-ui")
    assert query == {"project": ["retail-store"]}
    assert authorization == "Bearer t0ken-of-the-tests"


def test_a_refresh_is_asked_for_in_argo_cds_words(server: Server, client: ArgoCD) -> None:
    server.answers(document())
    client.application("retail-store-ui", refresh=True)
    assert server.asked[0][2] == {"refresh": ["normal"]}


def test_a_name_cannot_leave_its_place_in_the_path(server: Server, client: ArgoCD) -> None:
    server.answers(document())
    client.application("../../session?x=")
    assert server.asked[0][1] == "/api/v1/applications/..%2F..%2Fsession%3Fx%3D"


def test_a_root_path_is_kept(server: Server) -> None:
    server.answers(document())
    with ArgoCD(f"{server.url}/argo/", TOKEN) as client:
        client.application("retail-store-ui")
    assert server.asked[0][1] == "/argo/api/v1/applications/retail-store-ui"


def test_a_sync_is_ordered_with_the_revision_only_where_one_is_given(server: Server, client: ArgoCD) -> None:
    server.answers(document() | {"operation": {"sync": {}}})
    assert client.sync("retail-store-ui", "retail-store").requested
    client.sync("retail-store-ui", revision=OURS)
    (method, path, query, _, body), (*_, second) = server.asked
    assert (method, path, query) == ("POST", "/api/v1/applications/retail-store-ui/sync", {})
    assert body == {"name": "retail-store-ui", "project": "retail-store"}
    assert second == {"name": "retail-store-ui", "revision": OURS}


def test_the_version_is_told(server: Server, client: ArgoCD) -> None:
    server.answers({"Version": "v3.1.0+abcdef0"})
    assert client.version() == "v3.1.0+abcdef0"


def test_complaints_are_those_of_unhealthy_resources(server: Server, client: ArgoCD) -> None:
    nodes = [
        {"kind": "Deployment", "name": "ui", "health": {"status": "Progressing", "message": "0 of 1"}},
        {"kind": "Pod", "name": "ui-1", "health": {"status": "Healthy", "message": "fine"}},
        {"kind": "Pod", "name": "ui-2", "health": {"status": "Degraded"}},
        {"kind": "Service", "name": "ui"},
    ]
    server.answers({"nodes": nodes})
    assert client.complaints("retail-store-ui") == ("Deployment ui: 0 of 1",)


@pytest.mark.parametrize(
    ("status", "body", "remedy"),
    [
        (404, {"error": 'applications "x" not found', "code": 5}, "name and project"),
        (401, {"error": "invalid session", "code": 16, "message": "invalid session"}, "make a new one"),
        (403, DENIED, "name its project"),
        (400, PINNED, "leave the revision out"),
        (307, {}, "points elsewhere"),
    ],
)
def test_what_will_not_pass_is_terminal_with_the_remedy(
    server: Server, client: ArgoCD, status: int, body: dict[str, Any], remedy: str
) -> None:
    server.answers(body, status)
    with pytest.raises(Terminal, match=str(status)) as caught:
        client.application("x")
    assert remedy in str(caught.value)
    assert body.get("error", "") in str(caught.value)


def test_a_denial_with_a_project_is_no_missing_application(server: Server, client: ArgoCD) -> None:
    server.answers(DENIED, 403)
    with pytest.raises(Terminal) as caught:
        client.application("x", "retail-store")
    assert "no such application" not in str(caught.value)


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_what_may_pass_is_transient_whatever_the_body(server: Server, client: ArgoCD, status: int) -> None:
    server.status, server.body = status, b"<html>upstream connect error</html>"
    with pytest.raises(Transient, match=rf"{status}.*see the Argo CD server's log"):
        client.application("x")


def test_a_sync_beside_another_may_pass(server: Server, client: ArgoCD) -> None:
    server.answers(BUSY, 400)
    with pytest.raises(Transient, match="already in progress"):
        client.sync("x")


@pytest.mark.parametrize("body", [b"<html>the user interface</html>", b"[]", b'{"metadata": {}}'])
def test_an_answer_that_is_not_argo_cds_is_terminal(server: Server, client: ArgoCD, body: bytes) -> None:
    server.body = body
    with pytest.raises(Terminal, match=r"does not answer as Argo CD does.*Argo CD 2.8 or newer"):
        client.application("x")


def test_a_server_that_is_not_there_may_come(unused_port: int) -> None:
    with (
        ArgoCD(f"http://127.0.0.1:{unused_port}", TOKEN) as client,
        pytest.raises(Transient, match=r"be reached.*check the address and the network"),
    ):
        client.version()


def test_a_server_that_does_not_answer_may_yet() -> None:
    with (
        silent() as port,
        ArgoCD(f"http://127.0.0.1:{port}", TOKEN, timeout=0.2) as client,
        pytest.raises(Transient, match=r"in time \(see how busy it is"),
    ):
        client.application("x", refresh=False)


@contextmanager
def silent() -> Iterator[int]:
    """A port that accepts connections and never says a word."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


@pytest.fixture
def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.mark.parametrize("url", ["http://argocd.example.org", "ftp://127.0.0.1", "argocd.example.org", ""])
def test_the_token_is_never_sent_in_the_clear(url: str) -> None:
    with pytest.raises(Terminal, match="https"):
        ArgoCD(url, TOKEN)


@pytest.mark.parametrize("scheme", ["https", "http"])
def test_an_address_with_credentials_is_refused_without_repeating_them(scheme: str) -> None:
    with pytest.raises(Terminal) as caught:
        ArgoCD(f"{scheme}://admin:hunter2@argocd.example.org", TOKEN)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("token", ["", "two words", "line\n", "tökn"])
def test_a_token_that_cannot_be_one_is_refused_without_repeating_it(token: str) -> None:
    with pytest.raises(Terminal) as caught:
        ArgoCD("https://argocd.example.org", SecretStr(token))
    assert not token or token not in str(caught.value)


def test_the_token_is_in_no_representation(client: ArgoCD) -> None:
    assert TOKEN.get_secret_value() not in f"{client!r} {vars(client)!r} {client._client.headers!r}"
