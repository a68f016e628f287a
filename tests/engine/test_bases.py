from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from argosy.changes.bases import ZERO, Asked, Comparison, compare
from argosy.changes.differences import NOTHING, of_any
from argosy.changes.history import History
from argosy.errors import WrongUse
from argosy.git import Git
from tests.engine.shop import Shop, run

GONE = "ba5e" * 10


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """A shop with two commits on main, the second one's SHA being the branch `main` of its origin."""
    shop = Shop.opened(tmp_path)
    shop.commit("Change the ui", {"src/ui/main.txt": "two\n"})
    run("-C", str(shop.path), "remote", "set-head", "origin", "main")
    return shop


def ask(git: Git, base: str | None = None, head: str = "HEAD", default: str | None = None) -> Comparison:
    return compare(git, Asked(base, head, default_branch=default))


def off_main(shop: Shop, branch: str = "topic") -> str:
    """Make `branch` with one commit that main has not, and move main on; the commit where they parted."""
    parted = shop.head
    shop.commit("On main", {"src/cart/on-main": "x"})
    shop.run("checkout", "-q", "-b", branch, parted)
    shop.commit("On the branch", {"src/ui/on-the-branch": "x"}, branch=branch)
    return parted


def cloned(shop: Shop, *options: str) -> Git:
    path = shop.path.parent / "clone"
    run("clone", "-q", *options, f"file://{shop.origin}", str(path))
    return Git(path)


def paths(git: Git, found: Comparison) -> set[str]:
    return {each.path for each in of_any(git, found.against, found.head)}


def test_full_shas_branches_and_tags_name_commits(shop: Shop) -> None:
    first, second = shop.run("rev-list", "--reverse", "HEAD").splitlines()
    shop.run("tag", "light", first)
    shop.run("tag", "-a", "heavy", "-m", "x", first)
    shop.run("branch", "some/branch", first)
    for name in (
        first,
        first.upper(),
        "light",
        "heavy",
        "refs/tags/heavy",
        "some/branch",
        "main~1",
        "HEAD^",
        "origin/main~1",
    ):
        assert ask(shop.git, name) == Comparison(first, second, (first,)), name
    assert ask(shop.git, first, "origin/main").head == ask(shop.git, first, "main").head == second


def test_a_branch_goes_before_a_tag_and_a_full_sha_before_both(shop: Shop) -> None:
    first, second = shop.run("rev-list", "--reverse", "HEAD").splitlines()
    shop.run("tag", "main", first)
    assert ask(shop.git, first, "main").head == second
    assert ask(shop.git, first, "refs/tags/main").head == first
    shop.run("update-ref", f"refs/heads/{first}", second)
    assert ask(shop.git, first).base == first


@pytest.mark.parametrize(
    "name",
    [
        "",
        "-x",
        "--output=x",
        "a b",
        "a\nb",
        "a..b",
        "a:b",
        "main@{1}",
        ":/x",
        "^main",
        "HEAD^{/x}",
        "a\0b",
        "no-such",
        "deadbee",
    ],
)
def test_what_names_no_commit_is_refused(shop: Shop, name: str) -> None:
    for base, head in (("main", name), *([(name, "main")] if name else [])):
        with pytest.raises(WrongUse) as caught:
            ask(shop.git, base, head)
        assert caught.value.remedy


def test_a_repository_without_a_commit_says_so(tmp_path: Path) -> None:
    run("init", "-q", "-b", "main", str(tmp_path / "new"))
    with pytest.raises(WrongUse, match="no commit here yet"):
        ask(Git(tmp_path / "new"))


def test_an_object_that_is_no_commit_is_none(shop: Shop) -> None:
    with pytest.raises(WrongUse):
        ask(shop.git, "main", shop.run("rev-parse", "HEAD^{tree}"))


def test_the_merge_base_leaves_out_what_the_base_did_meanwhile(shop: Shop) -> None:
    parted = off_main(shop)
    found = compare(shop.git, Asked("main", merge_base=True))
    assert (found.base, found.reason) == (parted, None)
    assert paths(shop.git, found) == {"src/ui/on-the-branch"}
    assert paths(shop.git, ask(shop.git, "main")) == {"src/ui/on-the-branch", "src/cart/on-main"}


def test_of_several_merge_bases_all_count(shop: Shop) -> None:
    off_main(shop)
    topic = shop.head
    shop.run("merge", "-q", "--no-edit", "main")
    shop.run("checkout", "-q", "main")
    on_main = shop.head
    shop.run("merge", "-q", "--no-edit", topic)
    shop.run("checkout", "-q", "topic")
    shop.commit("More", {"src/ui/more": "x"}, branch="topic")
    found = compare(shop.git, Asked("main", merge_base=True))
    assert {*found.against} == {topic, on_main}
    assert "2 merge bases" in (found.reason or "")
    assert paths(shop.git, found) == {"src/ui/more", "src/ui/on-the-branch", "src/cart/on-main"}


def test_without_a_merge_base_the_two_are_compared_themselves(shop: Shop) -> None:
    shop.run("checkout", "-q", "--orphan", "apart")
    shop.commit("Begin anew", {"src/ui/new": "x"}, branch="apart")
    found = compare(shop.git, Asked("main", merge_base=True))
    assert found.against == (shop.run("rev-parse", "main"),)
    assert "no merge base" in (found.reason or "")
    assert paths(shop.git, found) == {"src/ui/new"}
    assert ask(shop.git, ZERO).against == (NOTHING,)


def test_the_first_push_of_a_branch_is_compared_with_where_it_left_the_default_branch(shop: Shop) -> None:
    parted = off_main(shop)
    found = ask(shop.git, ZERO)
    assert found.against == (parted,)
    assert "first push" in (found.reason or "")
    shop.run("checkout", "-q", "--detach")
    assert ask(shop.git, ZERO).against == (parted,)
    assert ask(shop.git, ZERO, "topic").against == (parted,)
    assert ask(shop.git, ZERO, default="topic").against == (NOTHING,)  # nobody knows that it is not that branch itself


def test_a_new_branch_without_a_commit_of_its_own_has_changed_nothing(shop: Shop) -> None:
    shop.run("checkout", "-q", "-b", "fresh")
    assert ask(shop.git, ZERO).against == (shop.head,)


def test_on_the_default_branch_itself_a_first_push_adds_everything(shop: Shop) -> None:
    for head in ("HEAD", "main", "refs/heads/main", "origin/main", shop.head):
        found = ask(shop.git, ZERO, head)
        assert (found.base, found.against) == (ZERO, (NOTHING,)), head
        assert "everything counts as added" in (found.reason or "")


def test_the_remote_is_asked_for_a_default_branch_that_is_not_known(shop: Shop) -> None:
    parted = off_main(shop)
    shop.run("remote", "set-head", "origin", "--delete")
    assert ask(shop.git, ZERO).against == (parted,)
    shop.run("remote", "remove", "origin")
    assert ask(shop.git, ZERO).against == (NOTHING,)
    assert ask(shop.git, ZERO, default="main").against == (parted,)


def test_a_base_that_is_gone_after_a_force_push_is_fetched(shop: Shop) -> None:
    git = cloned(shop)
    before = shop.head
    shop.run("commit", "-q", "--amend", "-m", "Once more")
    shop.run("push", "-q", "--force", "origin", "main")
    gone = shop.run("commit-tree", "-m", "pushed, then gone", f"{before}^{{tree}}")
    shop.run("push", "-q", "origin", f"{gone}:refs/heads/gone")
    shop.run("push", "-q", "origin", ":refs/heads/gone")
    found = ask(git, gone)
    assert (found.against, found.reason) == ((gone,), None)
    assert not (git.directory / ".git" / "shallow").exists()


@pytest.mark.parametrize("remote", ["there", "down", "none"])
def test_where_a_base_is_gone_for_good_everything_counts_and_the_reason_is_told(shop: Shop, remote: str) -> None:
    if remote == "none":
        shop.run("remote", "remove", "origin")
    elif remote == "down":
        shutil.rmtree(shop.origin)
    found = ask(shop.git, GONE)
    assert (found.base, found.against) == (GONE, ())
    assert "every service counts as changed" in (found.reason or "")


def test_a_branch_that_only_the_remote_has_is_fetched(shop: Shop) -> None:
    off_main(shop)
    git = cloned(shop, "--single-branch", "--branch", "main")
    assert ask(git, "topic").base == shop.head
    shop.run("tag", "v1")
    shop.run("push", "-q", "origin", "v1")
    assert ask(git, "v1").base == shop.head


def test_a_branch_that_could_be_there_were_the_remote_up_counts_as_everything(shop: Shop) -> None:
    shutil.rmtree(shop.origin)
    assert ask(shop.git, "elsewhere").against == ()


def test_a_shallow_clone_fetches_the_base_and_no_more(shop: Shop) -> None:
    base = shop.head
    for number in range(5):
        shop.commit(f"Commit {number}", {"src/cart/n": str(number)})
    git = cloned(shop, "--depth=1")
    found = ask(git, base)
    assert (found.against, found.reason) == ((base,), None)
    assert paths(git, found) == {"src/cart/n"}
    assert len(git.text("rev-list", "--all", base).splitlines()) == 2


def test_a_shallow_clone_fetches_the_commit_before_its_only_one(shop: Shop) -> None:
    git = cloned(shop, "--depth=1")
    for base in (None, "HEAD~1", "main~1"):
        found = ask(git, base)
        assert found.base in {shop.run("rev-parse", "HEAD~1"), "HEAD~1"}
        assert paths(git, found) == {"src/ui/main.txt"}


def test_a_shallow_clone_deepens_to_the_merge_base(shop: Shop) -> None:
    parted = off_main(shop)
    git = cloned(shop, "--depth=1", "--no-single-branch", "--branch", "topic")
    found = compare(git, Asked("main", merge_base=True))
    assert (found.against, found.reason) == ((parted,), None)
    assert ask(git, ZERO).against == (parted,)


@pytest.mark.parametrize("base", ["HEAD~1", None, GONE])
def test_a_shallow_clone_that_cannot_fetch_counts_everything(shop: Shop, base: str | None) -> None:
    git = cloned(shop, "--depth=1")
    shutil.rmtree(shop.origin)
    found = ask(git, base)
    assert found.against == ()
    assert "every service counts as changed" in (found.reason or "")


def test_a_shallow_clone_that_cannot_deepen_tells_no_merge_base(shop: Shop) -> None:
    off_main(shop)
    git = cloned(shop, "--depth=1", "--no-single-branch", "--branch", "topic")
    shutil.rmtree(shop.origin)
    found = compare(git, Asked("origin/main", merge_base=True))
    assert found.against == ()
    assert "too shallow" in (found.reason or "")


def test_without_a_base_a_branch_is_compared_with_where_it_left_the_default_branch(shop: Shop) -> None:
    parted = off_main(shop)
    shop.commit("On the branch again", {"src/ui/again": "x"}, branch="topic")
    assert ask(shop.git).base == parted
    shop.run("checkout", "-q", "main")
    assert ask(shop.git).base == parted  # on the default branch: the commit before
    shop.run("checkout", "-q", "--detach", "main")
    assert ask(shop.git).base == parted


def test_without_a_base_a_merge_commit_is_compared_with_its_first_parent(shop: Shop) -> None:
    off_main(shop)
    topic = shop.head
    shop.run("checkout", "-q", "main")
    before = shop.head
    shop.run("merge", "-q", "--no-ff", "--no-edit", topic)
    found = ask(shop.git)
    assert found.base == before
    assert paths(shop.git, found) == {"src/ui/on-the-branch"}


def test_without_a_base_the_first_commit_adds_everything(shop: Shop) -> None:
    root = shop.run("rev-list", "--max-parents=0", "HEAD")
    found = ask(shop.git, head=root)
    assert (found.base, found.against) == (ZERO, (NOTHING,))


@pytest.mark.parametrize("base", [None, ZERO])
def test_a_merge_queue_names_the_base_in_its_ref(shop: Shop, base: str | None) -> None:
    off_main(shop)
    queued_on = shop.run("rev-parse", "main")
    shop.run("checkout", "-q", "-B", f"gh-readonly-queue/main/pr-12-{queued_on}", "main")
    shop.commit("Two at once", {"src/ui/a": "x"}, branch="queue")
    shop.commit("the second of them", {"src/ui/b": "x"}, branch="queue")
    found = ask(shop.git, base)
    assert found.base == queued_on
    assert paths(shop.git, found) == {"src/ui/a", "src/ui/b"}
    shop.run("branch", "-m", f"gh-readonly-queue/release/1.x/pr-12-{GONE}")
    assert ask(shop.git, base).against == ()


def test_the_configuration_is_that_of_the_head(shop: Shop) -> None:
    text = (shop.path / "argosy.yaml").read_text()
    (shop.path / "argosy.yaml").write_text("not committed")
    assert compare(shop.git, Asked(), "argosy.yaml").configuration == text.encode()
    assert compare(shop.git, Asked(), "no-such.yaml").configuration is None
    bare = Git(shop.origin)
    assert compare(bare, Asked(head="main"), "argosy.yaml").configuration == text.encode()


def test_a_history_is_every_first_parent_commit_after_one(shop: Shop) -> None:
    off_main(shop)
    root = shop.run("rev-list", "--max-parents=0", "HEAD")
    listed = shop.run("rev-list", "--first-parent", "--reverse", f"{root}..topic").splitlines()
    walked = list(History(shop.git, f"{root}..topic", "argosy.yaml").walk())
    assert [each.head for each in walked] == listed
    assert [each.base for each in walked] == [root, *listed[:-1]]
    whole = list(History(shop.git, f"{ZERO}..", "argosy.yaml").walk())
    assert [each.head for each in whole] == [root, *listed]
    assert (whole[0].base, len(whole[0].changes or ())) == (ZERO, 9)


@pytest.mark.parametrize(
    "text", ["main", "a...b", "..main", "no-such..main", "main..no-such", "-x..main", f"{GONE}..main"]
)
def test_what_is_no_range_is_refused(shop: Shop, text: str) -> None:
    with pytest.raises(WrongUse):
        History(shop.git, text, "argosy.yaml")


def test_a_history_that_a_shallow_clone_left_out_is_fetched_or_counts_as_everything(shop: Shop) -> None:
    root = shop.run("rev-list", "--max-parents=0", "HEAD")
    git = cloned(shop, "--depth=1")
    assert [each.base for each in History(git, f"{root}..main", "argosy.yaml").walk()] == [root]
    shutil.rmtree(git.directory)
    git = cloned(shop, "--depth=1")
    shutil.rmtree(shop.origin)
    (only,) = History(git, f"{ZERO}..main", "argosy.yaml").walk()
    assert (only.head, only.changes) == (shop.head, None)
    assert "too shallow" in (only.reason or "")
