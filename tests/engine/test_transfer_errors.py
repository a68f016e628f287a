"""What real git says of real servers that refuse, fail or are not there, and what is to be done about each."""

from __future__ import annotations

from pathlib import Path

import pytest

from argosy.errors import ArgosyError, Terminal, Transient
from argosy.git import failed
from argosy.gitops.mirror import Mirror
from argosy.gitops.remote import Remote
from argosy.gitops.transfer_errors import PushRefused, PushRejected, explain
from deployments.local.process import free_port
from tests.engine.target import Target
from tests.engine.web import Answer, served


def refusal(url: str, folder: Path) -> ArgosyError:
    with pytest.raises((Terminal, Transient)) as caught:
        Mirror(folder, Remote(url)).update()
    assert url in caught.value.message
    return caught.value


@pytest.mark.parametrize(
    ("status", "kind", "remedy"),
    [
        (401, Terminal, "renew the token"),
        (403, Terminal, "read and write access to this repository"),
        (404, Terminal, "correct the URL"),
        (418, Terminal, "run the same git command"),
        (429, Transient, "check that the git server is up"),
        (503, Transient, "check that the git server is up"),
        (None, Transient, "check that the git server is up"),
    ],
)
def test_each_answer_of_a_server_has_its_remedy(
    status: int | None, kind: type[Exception], remedy: str, tmp_path: Path
) -> None:
    with served(lambda _request: Answer(status, {"WWW-Authenticate": 'Basic realm="git"'})) as host:
        error = refusal(f"http://{host}/shop.git", tmp_path)
    assert (type(error), remedy in (error.remedy or "")) == (kind, True)


@pytest.mark.parametrize("host", ["127.0.0.1:{free}", "nowhere.invalid"])
def test_a_server_that_is_not_there_may_come_back(host: str, tmp_path: Path) -> None:
    error = refusal(f"http://{host.format(free=free_port())}/shop.git", tmp_path)
    assert (type(error), error.remedy) == (Transient, "check that the git server is up")


@pytest.mark.parametrize(
    "hook",
    [
        "echo 'main is protected: ask the release team' >&2",
        "echo 'no certificate of conduct: ask the release team' >&2",
        "echo 'No space left on device for you: ask the release team' >&2",
    ],
)
def test_a_branch_that_is_protected_is_named_and_who_may_push_there(target: Target, hook: str) -> None:
    target.hook("pre-receive", f"{hook}; exit 1")
    with pytest.raises(PushRefused, match=r"refuses the push: .*ask the release team") as caught:
        target.writer.write_back(target.shop.head, [target.release()])
    assert (caught.value.remedy or "").startswith("allow Argosy's user to push to that branch, or set target.mode")
    assert target.log() == ["Open the shop"]


@pytest.mark.parametrize(
    ("said", "kind", "remedy"),
    [
        ("remote: error: GH006: Protected branch update failed for refs/heads/main.\n"
         " ! [remote rejected] a -> main (protected branch hook declined)", PushRefused, "allow Argosy's user to push"),
        ("remote: Permission to acme/shop.git denied to bot.\nfatal: unable to access 'https://git.example/': "
         "The requested URL returned error: 403", Terminal, "read and write access"),
        ("fatal: unable to access 'https://git.example/': SSL: no alternative certificate subject name matches",
         Terminal, "GIT_SSL_CAINFO"),
    ],
)  # fmt: skip
def test_what_only_hosted_servers_say_is_understood_too(said: str, kind: type, remedy: str) -> None:
    error = explain(failed("push", said), "https://git.example/acme/shop.git")
    assert (type(error), remedy in (error.remedy or "")) == (kind, True)


@pytest.mark.parametrize(
    ("said", "kind", "remedy"),
    [
        ("error: remote unpack failed: unable to create temporary object directory\n"
         " ! [remote rejected] a -> main (unpacker error)", Transient, "its server's disk"),
        ("remote: error: cannot lock ref 'refs/heads/main': Unable to create 'main.lock': File exists.\n"
         " ! [remote rejected] a -> main (failed to update ref)", PushRejected, "run again"),
        (" ! [rejected] a -> main (stale info)", PushRejected, "run again"),
        (" ! [rejected] a -> main (fetch first)", PushRejected, "run again"),
        (" ! [remote rejected] a -> main (hook declined)", PushRefused, "allow Argosy's user to push"),
        ("remote: Internal Server Error\nfatal: the remote end hung up unexpectedly", Transient, "git server is up"),
    ],
)  # fmt: skip
def test_a_push_that_may_work_later_is_told_from_one_that_never_will(said: str, kind: type, remedy: str) -> None:
    error = explain(failed("push", said), "https://git.example/acme/shop.git")
    assert (type(error), remedy in (error.remedy or "")) == (kind, True)
