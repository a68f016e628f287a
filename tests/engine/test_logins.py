"""The login of a git remote: told at once, to that server alone, wherever it sends the client."""

from __future__ import annotations

from base64 import b64encode
from contextlib import ExitStack
from pathlib import Path

import pytest
from pydantic import SecretStr

from argosy.errors import Terminal
from argosy.gitops.mirror import Mirror
from argosy.gitops.remote import Remote
from tests.engine.web import Answer, Request, served

PASSWORD = "open-sesame"
NOBODY = Answer(401, {"WWW-Authenticate": 'Basic realm="shop"'})


def packet(text: str) -> bytes:
    return f"{len(text) + 4:04x}{text}".encode()


ADVERTISED = packet("# service=git-upload-pack\n") + b"0000" + b"".join(
    map(packet, ("version 2\n", "agent=tests\n", "ls-refs\n", "fetch\n"))
) + b"0000"  # fmt: skip


def empty(request: Request) -> Answer:
    """What a server answers that has an empty repository at every path, for everybody."""
    kind = "result" if request.method == "POST" else "advertisement"
    body = b"0000" if request.method == "POST" else ADVERTISED
    return Answer(200, {"Content-Type": f"application/x-git-upload-pack-{kind}"}, body)


def basic(user: str, password: str) -> str:
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


def update(folder: Path, host: str, user: str = "bot", password: str = PASSWORD) -> None:
    Mirror(folder, Remote(f"http://{host}/shop.git", user, SecretStr(password))).update()


@pytest.mark.parametrize(
    ("user", "password"), [("bot", PASSWORD), ("", "t0ken"), ("bot@shop", "p:ä \"\\#;=\t%2F'`$(id)")]
)
def test_a_login_goes_with_the_first_request_whatever_is_in_it(tmp_path: Path, user: str, password: str) -> None:
    asked: list[tuple[str, str]] = []

    def answer(request: Request) -> Answer:
        asked.append((request.method, request.headers.get("authorization", "")))
        return empty(request)

    with served(answer) as host:
        update(tmp_path, host, user, password)
    assert asked == [("GET", basic(user, password)), ("POST", basic(user, password))]


def test_a_login_that_is_refused_is_told_once_and_its_remedy_said(tmp_path: Path) -> None:
    asked: list[str] = []

    def answer(request: Request) -> Answer:
        asked.append(request.headers.get("authorization", ""))
        return NOBODY

    with served(answer) as host, pytest.raises(Terminal, match=r"refuses the credentials \(renew the token"):
        update(tmp_path, host)
    assert asked == [basic("bot", PASSWORD)]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_another_server_that_it_is_sent_to_is_not_told_the_login_by_any_request(tmp_path: Path, status: int) -> None:
    told: list[tuple[str, str]] = []

    def other(request: Request) -> Answer:
        told.append((request.method, request.headers.get("authorization", "")))
        return empty(request)

    with ExitStack() as servers:
        elsewhere = servers.enter_context(served(other))
        first = servers.enter_context(
            served(lambda request: Answer(status, {"Location": f"http://{elsewhere}{request.path}"}))
        )
        update(tmp_path, first)
    assert told == [("GET", ""), ("POST", "")]


def test_a_repository_that_was_renamed_on_its_server_is_found_with_the_login(tmp_path: Path) -> None:
    hosts: list[str] = []

    def answer(request: Request) -> Answer:
        if request.path.startswith("/shop.git"):
            return Answer(301, {"Location": f"http://{hosts[0]}/renamed{request.path}"})
        return empty(request) if request.headers.get("authorization") == basic("bot", PASSWORD) else NOBODY

    with served(answer) as host:
        hosts.append(host)
        update(tmp_path, host)


def test_a_trace_that_the_user_asks_git_for_tells_no_login(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    traces = ("GIT_TRACE", "GIT_TRACE_CURL", "GIT_CURL_VERBOSE", "GIT_TRACE2_EVENT")
    for name in traces:
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.setenv("GIT_TRACE_REDACT", "0")
    with served(empty) as host:
        update(tmp_path / "home", host)
    assert not [name for name in traces if (tmp_path / name).exists()]


def test_the_password_is_in_no_environment() -> None:
    remote = Remote("https://git.example/shop.git", "bot", SecretStr(PASSWORD))
    for access in (remote.access, remote.access_at_once):
        with access() as extra:
            values = "".join(extra.values())
            assert PASSWORD not in values
            assert basic("bot", PASSWORD).split()[1] not in values
            files = [Path(value) for value in extra.values() if value.startswith("/proc/")]
            assert [file.exists() for file in files] == [True]
        assert not files[0].exists()
