"""`argosy plan` as a process: what it says to people, programs and pull requests, of a clone alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from argosy.plan_markdown import markdown
from tests.cli.process import argosy, spoken
from tests.engine.shop import Shop, run


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """A clone in which ui is released and then changed, and cart is not adopted."""
    shop = Shop.opened(tmp_path)
    shop.release("ui", shop.head)
    shop.commit("Edit", {"src/ui/main.txt": "ui two\n"})
    return shop


def plan(shop: Shop, *words: str) -> dict[str, object]:
    done = argosy("plan", "--json", "--environment", "dev", *words, cwd=shop.path)
    assert (done.returncode, done.stderr) == (0, "")
    return dict(spoken(done))


def test_a_plan_says_of_each_service_its_state_why_and_what_would_be_written(shop: Shop) -> None:
    found = plan(shop)
    assert list(found) == [
        "environment", "source", "target", "on_source", "adopt", "hash", "nothing_to_do", "services", "failures",
        "message",
    ]  # fmt: skip
    assert (found["environment"], found["source"], found["on_source"]) == ("dev", shop.head, True)
    ui, cart = found["services"].values()  # type: ignore[attr-defined] # JSON
    first = shop.run("rev-parse", "HEAD~2")
    content = shop.digests().desired(shop.head)["ui"].hex
    assert ui == {
        "state": "build",
        "reason": f"its content differs from {first[:12]}, which is released",
        "content": content,
        "recipe": "1",
        "current": f"registry.example:5000/shop-ui:{first}",
        "wanted": f"registry.example:5000/shop-ui:{shop.head}",
        "inputs": ["src/ui/main.txt"],
        "hold": None,
        "tags": [f"content-{content}", shop.head, "latest", "deployed-dev"],
        "writes": [{"file": "src/ui/chart/values-dev.yaml", "path": "image.tag", "old": first, "new": shop.head}],
    }
    assert (cart["state"], cart["writes"], cart["tags"]) == ("unknown", [], [])
    assert found["message"] == f"Release ui to dev [skip ci]\n\nui: {first} -> {shop.head}"


def test_adoption_is_planned_where_it_is_asked_for(shop: Shop) -> None:
    found = plan(shop, "--adopt")
    assert {name: item["state"] for name, item in found["services"].items()} == {  # type: ignore[attr-defined] # JSON
        "ui": "build",
        "cart": "build",
    }


def test_the_hash_is_that_of_the_plan_and_of_no_clock(shop: Shop) -> None:
    assert plan(shop)["hash"] == plan(shop)["hash"] != plan(shop, "--force", "ui")["hash"]


def test_a_hold_is_told_whole(shop: Shop) -> None:
    shop.set_by_hand("ui", "1.0-hotfix")
    item = plan(shop)["services"]["ui"]  # type: ignore[index] # JSON
    assert (item["state"], item["hold"]["who"], item["hold"]["by_hand"]) == ("held", "Dev", True)


def test_a_commit_of_a_fork_is_planned_and_said_to_be_no_release(shop: Shop) -> None:
    shop.run("checkout", "-q", "--detach")
    shop.run("-c", "user.name=F", "-c", "user.email=f@example.com", "commit", "-q", "--allow-empty", "-m", "Fork")
    fork = shop.head
    shop.run("checkout", "-q", "main")
    found = plan(shop, "--head", fork)
    assert (found["source"], found["on_source"]) == (fork, False)
    shown = argosy("plan", "--environment", "dev", "--head", fork, cwd=shop.path)
    assert "cannot be released" in shown.stdout


@pytest.mark.parametrize("name", ["main", "v1", "HEAD", "HEAD~0"])
def test_a_head_may_be_a_branch_a_tag_or_an_expression(shop: Shop, name: str) -> None:
    shop.run("tag", "v1")
    assert plan(shop, "--head", name)["source"] == shop.head


@pytest.mark.parametrize("name", ["nothing", "--output=x", "", "a b", ":/Edit"])
def test_a_head_that_names_no_commit_is_refused(shop: Shop, name: str) -> None:
    done = argosy("plan", "--environment", "dev", f"--head={name}", cwd=shop.path)
    assert done.returncode == (0 if name == "" else 2), done.stderr
    assert not (shop.path / "x").exists()


def test_origins_branches_serve_where_there_are_no_local_ones(shop: Shop, tmp_path: Path) -> None:
    run("clone", "-q", str(shop.origin), str(tmp_path / "clone"))
    run("-C", str(tmp_path / "clone"), "checkout", "-q", "--detach")
    run("-C", str(tmp_path / "clone"), "branch", "-qD", "main")
    done = argosy("plan", "--environment", "dev", "--json", "--repo", str(tmp_path / "clone"))
    assert spoken(done)["source"] == shop.head


def test_no_remote_is_needed(shop: Shop) -> None:
    before = plan(shop)
    shop.run("remote", "remove", "origin")
    assert plan(shop) == before


def test_a_shallow_clone_is_deepened_by_its_remote(shop: Shop, tmp_path: Path) -> None:
    run("clone", "-q", "--depth", "1", f"file://{shop.origin}", str(tmp_path / "clone"))
    done = argosy("plan", "--environment", "dev", "--json", cwd=tmp_path / "clone")
    assert spoken(done)["services"] == plan(shop)["services"]


def test_an_uncommitted_configuration_serves_who_begins(shop: Shop) -> None:
    text = (shop.path / "argosy.yaml").read_text()
    shop.run("rm", "-q", "argosy.yaml")
    shop.run("commit", "-qm", "Without")
    done = argosy("plan", "--environment", "dev", cwd=shop.path)
    assert done.returncode == 2
    assert "argosy init" in done.stderr
    (shop.path / "argosy.yaml").write_text(text)
    assert plan(shop)["source"] == shop.head


def test_every_environment_is_shown_where_none_is_named_and_json_asks_for_one(shop: Shop) -> None:
    done = argosy("plan", cwd=shop.path)
    assert done.returncode == 0
    assert done.stdout.index("dev  commit") < done.stdout.index("prod  commit")
    refused = argosy("plan", "--json", cwd=shop.path)
    assert (refused.returncode, "--environment: dev, prod" in spoken(refused)["error"]["remedy"]) == (2, True)


def test_nothing_to_do_ends_in_three_where_one_asked_to_know(shop: Shop) -> None:
    shop.release("ui", shop.head)
    text = (shop.path / "argosy.yaml").read_text()
    shop.commit("Stop watching", {"argosy.yaml": text.replace('argocd: {application: "shop-{service}"}\n', "")})
    assert argosy("plan", "--environment", "dev", cwd=shop.path).returncode == 0
    assert argosy("plan", "--environment", "dev", "--exit-code", cwd=shop.path).returncode == 3


def test_a_service_that_cannot_be_planned_ends_in_one_with_the_others_shown(shop: Shop) -> None:
    shop.commit("Drop", {"src/cart/Dockerfile": None})
    done = argosy("plan", "--environment", "dev", cwd=shop.path)
    assert done.returncode == 1
    assert "src/cart/Dockerfile is not in commit" in done.stdout
    assert "its content differs" in done.stdout


@pytest.mark.parametrize("folder", ["empty", "bare"])
def test_a_folder_without_a_commit_is_said_to_be_one(tmp_path: Path, folder: str) -> None:
    (tmp_path / folder).mkdir()
    if folder == "bare":
        run("init", "-q", str(tmp_path / folder))
    done = argosy("plan", cwd=tmp_path / folder)
    assert done.returncode == 2
    assert ("no git repository" if folder == "empty" else "no commit yet") in done.stderr


def test_a_comment_for_a_pull_request_is_markdown_that_nothing_breaks_out_of(shop: Shop) -> None:
    shop.commit("Edit", {"src/ui/a|b`<img>.txt": "x\n", "src/ui/new\nline": "x\n"})
    done = argosy("plan", "--environment", "dev", "--markdown", cwd=shop.path)
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert "| ui | `build` |" in done.stdout
    assert "- `src/ui/a|b'<img>.txt`" in lines
    assert "- `src/ui/new\\nline`" in lines
    hostile = {"state": "unknown", "reason": "x | <script> `y`\n# z", "inputs": [], "writes": []}
    shown = markdown(
        {
            "environment": "dev", "source": "a" * 40, "on_source": True, "hash": "b" * 64, "nothing_to_do": False,
            "services": {"ui": hostile}, "failures": {},
        }
    )  # fmt: skip
    assert "| ui | `unknown` | x \\| \\<script\\> \\`y\\`\\\\n\\# z |" in shown
