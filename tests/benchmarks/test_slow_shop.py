from __future__ import annotations

from pathlib import Path

from argosy.digests import Digests, environment_at
from argosy.git import Git
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
