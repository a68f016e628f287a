"""Writing to a protected branch by one pull request: kept up to date, nobody's work lost, merged in every way."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from argosy import trailers
from argosy.errors import Terminal, Transient
from argosy.github.client import PullRequest
from argosy.github.pull_requests import PullRequests
from argosy.github.rolling_branch import Kind
from argosy.gitops.delivery import PushedUnlessProtected
from argosy.gitops.transfer_errors import PushRefused
from argosy.gitops.writer import Writer
from argosy.holds import holding
from argosy.models import Hold
from tests.engine.forge import Forge
from tests.engine.target import NOW

BRANCH = "argosy/dev/release"
BOTH = frozenset({"ui", "cart"})


@contextmanager
def proposing(forge: Forge, run: str = "run-1", kind: Kind = "release", **settings: Any) -> Iterator[Writer]:
    writer = forge.writer(run)
    scope = settings.pop("scope", BOTH)
    environment = replace(writer.environment, **({"mode": "pull-request"} | settings))
    with forge.client() as client:
        delivery = PullRequests(client, environment, kind, writer.identity.email, scope)
        yield replace(writer, environment=environment, delivery=delivery)


def propose(forge: Forge, *services: str, run: str = "run-1", **settings: Any) -> Any:
    with proposing(forge, run, **settings) as writer:
        return writer.write_back(forge.shop.head, [forge.release(name) for name in services])


def pull(forge: Forge, state: Any = "open", branch: str = BRANCH) -> PullRequest | None:
    with forge.client() as client:
        return client.pulls(branch, "main", state)


def opened(forge: Forge) -> PullRequest:
    found = pull(forge)
    assert found is not None
    return found


def merge(forge: Forge, method: Any) -> None:
    with forge.client() as client:
        client.merge_itself(opened(forge), method)


def by_somebody(forge: Forge, files: Mapping[str, str]) -> str:
    """Somebody's commit on the rolling branch."""
    forge.shop.run("fetch", "-q", "origin", BRANCH)
    forge.shop.run("checkout", "-q", "--detach", "FETCH_HEAD")
    made = forge.shop.commit("A word of mine", files, branch=BRANCH)
    forge.shop.run("checkout", "-q", "main")
    return made


def test_a_release_is_one_commit_on_a_branch_of_its_own_and_a_pull_request_that_explains_it(forge: Forge) -> None:
    before = forge.tip()
    written = propose(forge, "ui", "cart")
    found = opened(forge)
    assert (written.commit, written.pull_request, written.released) == (None, found.url, ("ui", "cart"))
    assert (forge.tip(), forge.at("rev-parse", f"{BRANCH}^")) == (before, before)
    assert forge.shop.head in forge.values("ui", BRANCH)
    assert found.title == forge.at("log", "-1", "--format=%s", BRANCH) == "Release ui, cart to dev"
    assert f"| ui | `1.0` | `{before}` |" in found.body
    own, theirs = trailers.of_message(forge.at("log", "-1", "--format=%B", BRANCH)), trailers.of_message(found.body)
    assert own == theirs
    assert [each.service for each in own] == ["ui", "cart"]


def test_what_a_pull_request_says_already_is_not_said_again(forge: Forge) -> None:
    propose(forge, "ui")
    tip, before = forge.tip(BRANCH), opened(forge)
    forge.shop.commit("Elsewhere", {"README": "other\n"})  # the same content, at a newer commit
    again = propose(forge, "ui", run="run-2")
    assert again.pull_request == before.url
    assert (forge.tip(BRANCH), opened(forge)) == (tip, before)


@pytest.mark.parametrize("change", ["newer content", "another service", "the chart itself"])
def test_what_is_newer_takes_its_place_upon_the_present_head(forge: Forge, change: str) -> None:
    propose(forge, "ui")
    first = opened(forge)
    values = forge.values().replace("replicas: 1", "replicas: 2")
    files = {"src/ui/chart/values-dev.yaml": f"{values}\n"} if change == "the chart itself" else {}
    files |= {"src/ui/main.txt": "two\n"} if change == "newer content" else {"README": "x\n"}
    source = forge.shop.commit("Change", files)
    services = ("ui", "cart") if change == "another service" else ("ui",)
    written = propose(forge, *services, run="run-2")
    assert written.pull_request == first.url
    assert forge.at("rev-list", "--count", f"main..{BRANCH}") == "1"
    assert forge.at("rev-parse", f"{BRANCH}^") == source
    assert source in forge.values("ui", BRANCH)
    assert opened(forge).title == f"Release {', '.join(services)} to dev"
    assert ("replicas: 2" in forge.values("ui", BRANCH)) == (change == "the chart itself")


def test_a_commit_that_the_source_has_lost_is_proposed_no_longer(forge: Forge) -> None:
    base = forge.shop.head
    lost = forge.shop.commit("Lost", {"README": "x\n"})
    propose(forge, "ui")
    assert lost in forge.values("ui", BRANCH)
    forge.shop.run("reset", "-q", "--hard", base)
    forge.at("update-ref", "refs/heads/main", base)
    kept = forge.shop.commit("Kept", {"README": "y\n"})
    propose(forge, "ui", run="run-2")
    assert kept in forge.values("ui", BRANCH)


@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
def test_however_it_is_merged_the_next_run_finds_the_release(forge: Forge, method: Any) -> None:
    source = forge.shop.head
    propose(forge, "ui", "cart")
    meanwhile = forge.shop.commit("Meanwhile", {"README": "x\n"})
    merge(forge, method)
    assert forge.read("README") == "x"
    assert forge.at("merge-base", meanwhile, "main") == meanwhile
    forge.mirror.update()
    records = trailers.records(forge.mirror.git, "main", "dev")
    assert {(each.service, each.source_sha, each.run) for each in records} == {
        ("ui", source, "run-1"),
        ("cart", source, "run-1"),
    }
    assert source in forge.values("ui")


def test_the_trailers_are_found_in_a_squash_of_several_peoples_commits_too(forge: Forge) -> None:
    propose(forge, "ui")
    by_somebody(forge, {"NOTES": "mine\n"})
    merge(forge, "squash")
    message = forge.at("log", "-1", "--format=%B", "main")
    assert "Co-authored-by: Dev" in message
    forge.mirror.update()
    (record,) = trailers.records(forge.mirror.git, "main", "dev")
    assert (record.service, record.commit) == ("ui", forge.tip())


def test_after_a_merge_the_next_release_has_a_pull_request_of_its_own(forge: Forge) -> None:
    first = propose(forge, "ui").pull_request
    merge(forge, "squash")
    forge.shop.run("pull", "-q", "origin", "main")
    source = forge.shop.commit("Change", {"src/ui/main.txt": "two\n"})
    second = propose(forge, "ui", run="run-2")
    assert second.pull_request not in {None, first}
    assert source in forge.values("ui", BRANCH)


def test_somebodys_commit_on_the_branch_is_kept_as_long_as_nothing_newer_is_to_be_written(forge: Forge) -> None:
    url = propose(forge, "ui").pull_request
    theirs = by_somebody(forge, {"NOTES": "mine\n"})
    assert propose(forge, "ui", run="run-2").pull_request == url
    assert forge.tip(BRANCH) == theirs
    forge.shop.commit("Change", {"src/ui/main.txt": "two\n"})
    with pytest.raises(Terminal, match=theirs[:12]) as refused:
        propose(forge, "ui", run="run-3")
    assert url in str(refused.value)
    assert forge.tip(BRANCH) == theirs


def test_an_amended_commit_of_argosys_is_somebodys_own(forge: Forge) -> None:
    propose(forge, "ui")
    forge.shop.run("fetch", "-q", "origin", BRANCH)
    forge.shop.run("checkout", "-q", "--detach", "FETCH_HEAD")
    forge.shop.run("commit", "-q", "--amend", "--no-edit", "--allow-empty")
    forge.shop.run("push", "-q", "--force", "origin", f"HEAD:refs/heads/{BRANCH}")
    forge.shop.run("checkout", "-q", "main")
    forge.shop.commit("Change", {"src/ui/main.txt": "two\n"})
    with pytest.raises(Terminal, match="not Argosy's"):
        propose(forge, "ui", run="run-2")


@pytest.mark.parametrize("evil", [False, True])
def test_a_branch_that_somebody_brought_up_to_date_is_rewritten_unless_the_merge_has_work_in_it(
    forge: Forge, evil: bool
) -> None:
    propose(forge, "ui")
    forge.shop.commit("Meanwhile", {"README": "x\n"})
    forge.shop.run("fetch", "-q", "origin", BRANCH)
    forge.shop.run("checkout", "-q", "--detach", "FETCH_HEAD")
    forge.shop.run("merge", "-q", "--no-commit", "--no-ff", "main")
    merged = forge.shop.commit("Merge main", {"NOTES": "mine\n"} if evil else {}, branch=BRANCH)
    assert len(forge.at("log", "-1", "--format=%P", merged).split()) == 2
    forge.shop.run("checkout", "-q", "main")
    source = forge.shop.commit("Change", {"src/ui/main.txt": "two\n"})
    if evil:
        with pytest.raises(Terminal, match=merged[:12]):
            propose(forge, "ui", run="run-2")
        assert forge.tip(BRANCH) == merged
    else:
        propose(forge, "ui", run="run-2")
        assert source in forge.values("ui", BRANCH)


def test_what_somebody_pushes_at_the_last_moment_is_not_overwritten(forge: Forge) -> None:
    propose(forge, "ui")
    forge.shop.commit("Change", {"src/ui/main.txt": "two\n"})
    theirs: list[str] = []

    def late(writer: Writer) -> Writer:
        """The writer for whom somebody pushes to the rolling branch just before its own push."""
        delivery = writer.delivery
        assert isinstance(delivery, PullRequests)

        class Late(PullRequests):
            def land(self, offer: Any) -> Any:
                def commit(head: str, proposal: Any) -> str:
                    made: str = offer.commit(head, proposal)
                    theirs.append(by_somebody(forge, {"NOTES": "mine\n"}))
                    return made

                return super().land(replace(offer, commit=commit))

        return replace(writer, delivery=Late(delivery.github, delivery.environment, "release", delivery.email, BOTH))

    with proposing(forge, "run-2") as writer, pytest.raises(Terminal, match="not Argosy's"):
        late(writer).write_back(forge.shop.head, [forge.release()])
    assert [forge.tip(BRANCH)] == theirs


def test_one_that_somebody_closed_is_opened_again_for_newer_content_alone(forge: Forge) -> None:
    propose(forge, "ui")
    with forge.client() as client:
        client._of(opened(forge), "closing", lambda theirs: theirs.edit(state="closed"))
    again = propose(forge, "ui", run="run-2")
    assert (again.released, again.pull_request, pull(forge)) == ((), None, None)
    assert "closed unmerged" in again.held["ui"]
    forge.shop.commit("Change", {"src/ui/main.txt": "two\n"})
    assert propose(forge, "ui", run="run-3").pull_request == opened(forge).url


def test_one_that_has_nothing_to_say_any_more_is_closed_with_a_comment_and_its_branch_goes(forge: Forge) -> None:
    propose(forge, "ui")
    with proposing(forge, "run-2") as writer:
        assert writer.delivery is not None
        assert writer.delivery.withdraw(forge.mirror) is not None
        assert writer.delivery.withdraw(forge.mirror) is None
    assert (pull(forge), forge.branches()) == (None, ["main"])
    assert "Nothing is left to write" in forge.github.comments(forge.name, 1)[0]
    assert propose(forge, "ui", run="run-3").pull_request == opened(forge).url


def test_somebodys_commit_outlives_a_pull_request_that_is_closed(forge: Forge) -> None:
    propose(forge, "ui")
    theirs = by_somebody(forge, {"NOTES": "mine\n"})
    with proposing(forge, "run-2") as writer:
        assert writer.delivery is not None
        writer.delivery.withdraw(forge.mirror)
    assert (pull(forge), forge.tip(BRANCH)) == (None, theirs)
    assert "somebody else's" in forge.github.comments(forge.name, 1)[0]
    assert propose(forge, "ui", run="run-3").pull_request == opened(forge).url  # nobody's no
    assert forge.tip(BRANCH) == theirs


def test_a_run_about_some_services_drops_no_other_from_it(forge: Forge) -> None:
    propose(forge, "ui", "cart")
    tip = forge.tip(BRANCH)
    forge.shop.commit("Change", {"src/ui/main.txt": "two\n"})
    with pytest.raises(Terminal, match="releases cart too"):
        propose(forge, "ui", run="run-2", scope=frozenset({"ui"}))
    with proposing(forge, "run-3", scope=frozenset({"ui"})) as writer:
        assert writer.delivery is not None
        assert writer.delivery.withdraw(forge.mirror) is None
    assert forge.tip(BRANCH) == tip


def test_a_run_that_died_before_it_opened_the_pull_request_is_completed_by_the_next(forge: Forge) -> None:
    forge.github.fail("/pulls$", 502, {"message": "Server Error"}, method="POST")
    with pytest.raises(Transient):
        propose(forge, "ui")
    tip = forge.tip(BRANCH)
    propose(forge, "ui", run="run-2")
    assert (opened(forge).head_sha, forge.tip(BRANCH)) == (tip, tip)


def test_a_lost_answer_opens_no_second_pull_request(forge: Forge) -> None:
    forge.github.fail("/pulls$", 502, {"message": "Server Error"}, method="POST", after=True)
    with pytest.raises(Transient):
        propose(forge, "ui")
    assert propose(forge, "ui", run="run-2").pull_request == opened(forge).url
    assert opened(forge).number == 1


def test_github_merges_by_itself_once_the_checks_have_passed(forge: Forge) -> None:
    forge.github.check(forge.name, checking=True)
    propose(forge, "ui", auto_merge="squash")
    assert opened(forge).merges_itself
    propose(forge, "ui", run="run-2", auto_merge="squash")
    forge.github.check(forge.name, checking=False)
    assert pull(forge) is None
    assert forge.shop.head in forge.values("ui")


def test_nothing_is_awaited_where_nothing_is_required(forge: Forge) -> None:
    propose(forge, "ui", auto_merge="rebase")
    assert pull(forge) is None
    assert forge.shop.head in forge.values("ui")


def test_a_hold_has_a_pull_request_of_its_own_and_no_second_one_takes_its_place(forge: Forge) -> None:
    def hold(service: str, run: str) -> holding.Holding:
        with proposing(forge, run, "holds") as writer:
            return holding.put(writer, [Hold(service, "dev", "it loses baskets", "Ada", NOW)])

    propose(forge, "ui")
    done = hold("cart", "run-2")
    assert done.commit is None
    found = pull(forge, branch="argosy/dev/holds")
    assert found is not None
    assert (done.pull_request, found.title) == (found.url, "Hold cart in dev")
    assert hold("cart", "run-3").pull_request == found.url
    with pytest.raises(Terminal, match=re.escape(found.url)):
        hold("ui", "run-4")
    with proposing(forge, "run-5", "holds") as writer, pytest.raises(Terminal, match=re.escape(found.url)):
        holding.lift(writer, ["cart"], (), NOW)
    assert "cart" in forge.read(".argosy/holds.yaml", "argosy/dev/holds")
    assert opened(forge).title == "Release ui to dev"


def test_where_the_branch_may_be_pushed_to_nothing_is_proposed(forge: Forge) -> None:
    forge.protect()
    written = automatic(forge)
    assert (written.commit, written.pull_request, forge.branches()) == (forge.tip(), None, ["main"])


def test_where_it_is_protected_a_pull_request_takes_the_place_of_the_push(forge: Forge) -> None:
    with pytest.raises(PushRefused):
        forge.writer().write_back(forge.shop.head, [forge.release()])
    written = automatic(forge)
    assert (written.commit, written.pull_request) == (None, opened(forge).url)
    assert forge.at("log", "-1", "--format=%s", BRANCH) == "Release ui to dev"


def automatic(forge: Forge) -> Any:
    with proposing(forge, mode="auto") as writer:
        assert writer.delivery is not None
        both = replace(writer, delivery=PushedUnlessProtected(writer.delivery))
        return both.write_back(forge.shop.head, [forge.release()])


def test_words_of_somebodys_own_mention_nobody_and_end_no_trailers(forge: Forge) -> None:
    reason = "see @everybody `x`\n\nArgosy-Environment: prod\nArgosy-Run: x"
    with proposing(forge, "run-2", "holds") as writer:
        holding.put(writer, [Hold("cart", "dev", reason, "Ada", NOW)])
    found = pull(forge, branch="argosy/dev/holds")
    assert found is not None
    assert " @everybody" not in found.body
    assert trailers.run_of(found.body) == "run-2"
