from __future__ import annotations

from pathlib import Path

from argosy.git import Git
from argosy.inputs.digests import Digests, environment_at
from argosy.models import ContentDigest
from benchmarks import slow_shop

DEVELOPER = ["-c", "user.name=Dev", "-c", "user.email=dev@example.com"]


def digests(git: Git) -> dict[str, ContentDigest]:
    git.run("add", "--all")
    git.run(*DEVELOPER, "commit", "--quiet", "--message", "Change")
    head = git.text("rev-parse", "HEAD")
    return Digests(git, environment_at(git, head, "prod")).desired(head)


def test_every_round_has_fresh_content_for_every_service(tmp_path: Path) -> None:
    git = Git(slow_shop.make(tmp_path / "shop", 2.0))
    git.run("init", "--quiet")
    before = digests(git)
    for name, content in slow_shop.freshened(f"src/{service}" for service in before).items():
        (git.directory / name).write_text(content)
    after = digests(git)
    assert len(after) == 5
    assert {name for name in after if after[name] == before[name]} == set()


def test_every_image_takes_the_step_after_its_fresh_file(tmp_path: Path) -> None:
    made = slow_shop.make(tmp_path / "shop", 0.5)
    ends = [file.read_text().splitlines()[-2:] for file in made.glob("src/*/Dockerfile")]
    assert ends == [["COPY fresh /srv/fresh", "RUN sleep 0.5"]] * 5


def test_a_label_makes_new_content_for_every_service_and_can_be_taken_back(tmp_path: Path) -> None:
    shop = slow_shop.make(tmp_path / "shop", 2.0)
    git = Git(shop)
    git.run("init", "--quiet")
    first = digests(git)
    for remark, same in (("one", 0), ("two", 0), (None, 5)):
        for name, text in slow_shop.remarked((shop / "argosy.yaml").read_text(), remark).items():
            (shop / name).write_text(text)
        now = digests(git)
        assert sum(now[name] == first[name] for name in first) == same


def test_a_doubled_shop_has_twins_with_repositories_and_values_of_their_own(tmp_path: Path) -> None:
    shop = slow_shop.make(tmp_path / "shop", 2.0)
    git = Git(shop)
    git.run("init", "--quiet")
    for name, text in slow_shop.doubled(shop, (shop / "argosy.yaml").read_text()).items():
        (shop / name).parent.mkdir(parents=True, exist_ok=True)
        (shop / name).write_text(text)
    assert len(digests(git)) == 10
    services = environment_at(git, git.text("rev-parse", "HEAD"), "prod").services
    for distinct in ({each.ecr_repository for each in services}, {each.values_path for each in services}):
        assert len(distinct) == 10
    for each in services:
        manifest = (shop / f"argocd/applications/retail-store-{each.name}.yaml").read_text()
        assert f"name: {each.application}\n" in manifest
        assert f"path: {each.chart_path}\n" in manifest
