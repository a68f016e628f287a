"""GitHub's API through the client: pull requests and commits on real repositories, and every way to be refused."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from argosy.errors import ArgosyError, Terminal, Transient, Unwell
from argosy.github.client import GitHub, Verification
from argosy.github.errors import RateLimited
from argosy.gitops.transfer_errors import PushRefused, PushRejected
from tests.engine.forge import Forge


def branch(forge: Forge, name: str = "change", files: dict[str, str | None] | None = None) -> str:
    return forge.shop.commit("Change it", files or {"note.txt": f"{name}\n"}, branch=name)


def test_a_pull_request_is_opened_changed_found_and_closed(forge: Forge) -> None:
    head = branch(forge)
    with forge.client() as client:
        assert client.pulls("change", "main", "open") is None
        made = client.create("change", "main", "One", "text")
        assert (made.head_sha, made.open, made.merged) == (head, True, False)
        changed = client.update(made, "Two", "more")
        assert client.pulls("change", "main", "open") == changed
        assert (changed.title, changed.body) == ("Two", "more")
        client.end(changed, "No more", "over")
        assert client.pulls("change", "main", "open") is None
        closed = client.pulls("change", "main", "closed")
        assert closed is not None
        assert (closed.body, closed.merged) == ("over", False)
    assert forge.github.comments(forge.name, 1) == ["No more"]


def test_one_that_is_open_already_is_taken_over_and_not_opened_twice(forge: Forge) -> None:
    branch(forge)
    with forge.client() as client:
        first = client.create("change", "main", "One", "text")
        assert client.create("change", "main", "Two", "text") == client.pulls("change", "main", "open")
        assert first.number == 1


def test_the_newest_of_more_than_a_page_is_found(forge: Forge) -> None:
    branch(forge)
    with forge.client() as client:
        for number in range(1, 33):
            made = client.create("change", "main", str(number), "text")
            client.end(made, "next", "over")
        newest = client.pulls("change", "main", "closed")
    assert newest is not None
    assert newest.number == 32


@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
def test_one_that_nothing_is_required_of_is_merged_at_once(forge: Forge, method: Any) -> None:
    branch(forge)
    before = forge.shop.commit("Elsewhere", {"other.txt": "x\n"}, branch="elsewhere")
    forge.at("update-ref", "refs/heads/main", before)
    branch(forge, "second", {"second.txt": "x\n"})
    with forge.client() as client:
        made = client.create("second", "main", "One", "text")
        client.merge_itself(made, method)
        assert client.pulls("second", "main", "open") is None
    assert forge.read("second.txt") == "x"
    assert len(forge.at("log", "-1", "--format=%P").split()) == (2 if method == "merge" else 1)


def test_one_that_checks_are_required_of_merges_itself_when_they_pass(forge: Forge) -> None:
    branch(forge)
    forge.github.check(forge.name, checking=True)
    with forge.client() as client:
        made = client.create("change", "main", "One", "text")
        client.merge_itself(made, "squash")
        found = client.pulls("change", "main", "open")
        assert found is not None
        assert found.merges_itself
        forge.github.check(forge.name, checking=False)
        merged = client.pulls("change", "main", "closed")
    assert merged is not None
    assert merged.merged
    assert forge.read("note.txt") == "change"


def test_a_commit_of_githubs_own_is_signed_and_says_so(forge: Forge) -> None:
    forge.protect()
    before = forge.tip()
    with forge.client() as client:
        made = client.commit("main", before, "Subject\n\nBody\n\nKey: value\n", {"a/b.txt": b"\xff\n"})
        assert client.verification(made) == Verification(True, "valid")
        assert client.verification(before) == Verification(False, "unsigned")
    assert forge.tip() == made
    assert forge.at("log", "-1", "--format=%P %B", made) == f"{before} Subject\n\nBody\n\nKey: value"
    assert (Path(forge.shop.origin) / "HEAD").exists()


def test_a_branch_that_has_moved_takes_no_commit(forge: Forge) -> None:
    forge.protect()
    stale = forge.tip()
    newer = forge.shop.commit("Meanwhile", {"other.txt": "x\n"})
    with forge.client() as client, pytest.raises(PushRejected, match="Expected branch to point to"):
        client.commit("main", stale, "Subject", {"a.txt": b"a"})
    assert forge.tip() == newer


def test_a_protected_branch_takes_no_commit_either(forge: Forge) -> None:
    with forge.client() as client, pytest.raises(PushRefused, match="through a pull request"):
        client.commit("main", forge.tip(), "Subject", {"a.txt": b"a"})


@pytest.mark.parametrize(
    ("status", "body", "more", "kind", "words"),
    [
        (401, {"message": "Bad credentials"}, {}, Terminal, "renew the token"),
        (403, {"message": "Resource not accessible by personal access token"}, {}, Terminal, "read and write access"),
        (404, {"message": "Not Found"}, {}, Terminal, "api_repository"),
        (422, {"message": "Validation Failed", "errors": [{"field": "base", "code": "invalid"}]}, {}, Terminal, "base"),
        (502, "<html>Unicorn!</html>", {}, Unwell, "502"),
        (503, {"message": "Service unavailable"}, {}, Unwell, "503"),
        (429, {"message": "slow"}, {"headers": {"retry-after": "600"}}, RateLimited, "again in 600 s"),
        (403, {"message": "You have exceeded a secondary rate limit."}, {}, RateLimited, "run again later"),
        (200, {"errors": [{"type": "RATE_LIMITED", "message": "slow"}]}, {}, Transient, "slow"),
        (200, {"errors": [{"message": "Something went wrong while executing your query."}]}, {}, Unwell, "wrong"),
        (200, {"errors": [{"type": "FORBIDDEN", "message": "no"}]}, {}, Terminal, "no"),
    ],
)
def test_every_refusal_says_what_it_means_and_what_to_do(
    forge: Forge, status: int, body: object, more: dict[str, Any], kind: type[ArgosyError], words: str
) -> None:
    forge.github.fail("/api/graphql$", status, body, **more)
    with forge.client() as client, pytest.raises(kind, match=words) as refused:
        client.commit("main", forge.tip(), "Subject", {"a.txt": b"a"})
    assert refused.value.remedy
    assert forge.token.get_secret_value() not in str(refused.value)


@pytest.mark.parametrize(
    "headers",
    [
        {"retry-after": "7"},
        {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1007"},
    ],
)
def test_a_limit_that_soon_passes_is_waited_for_as_long_as_github_says(forge: Forge, headers: dict[str, str]) -> None:
    waited: list[float] = []
    client = GitHub(
        forge.github.url,
        forge.github.repository(forge.name),
        forge.token,
        sleep=waited.append,
        clock=lambda: 1000.0,
    )
    for _ in range(2):
        body = {"message": "API rate limit exceeded for user ID 1."}
        forge.github.fail(f"/{forge.name}/pulls$", 403, body, headers=headers)
    with client:
        assert client.pulls("change", "main", "open") is None
    assert waited == [7.0, 7.0]


def test_who_may_not_see_it_is_told_that_it_is_not_there(forge: Forge) -> None:
    stranger, reader = forge.github.admit("eve"), forge.github.admit("ro", forge.name, permission="pull")
    branch(forge)
    with forge.client(stranger) as client, pytest.raises(Terminal, match="404"):
        client.pulls("change", "main", "open")
    with forge.client(reader) as client:
        assert not client.may_write()
        with pytest.raises(Terminal, match="403"):
            client.create("change", "main", "One", "text")
    with forge.client() as client:
        assert client.may_write()
    with forge.client(SecretStr("ghp_wrong")) as client, pytest.raises(Terminal, match="401 Bad credentials"):
        client.may_write()


def test_a_server_that_is_not_there_may_come_back(forge: Forge) -> None:
    closed = GitHub("http://127.0.0.1:9/api/v3", "acme/shop", SecretStr("x"), timeout=2)
    began = time.monotonic()
    with closed, pytest.raises(Unwell, match="gives no answer"):
        closed.may_write()
    assert time.monotonic() - began < 30


@pytest.mark.parametrize(
    ("url", "repository", "words"),
    [("http://github.example/api/v3", "acme/shop", "https"), ("https://api.github.com", "shop", "names no repository")],
)
def test_an_address_in_the_clear_or_a_name_that_is_none_is_refused(url: str, repository: str, words: str) -> None:
    with pytest.raises(Terminal, match=words):
        GitHub(url, repository, SecretStr("x"))
