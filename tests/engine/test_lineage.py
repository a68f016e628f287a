"""How a revision that Argo CD compared stands to a release."""

from __future__ import annotations

import pytest

from argosy.argocd.judgement import Relation
from argosy.argocd.lineage import relation_to
from tests.engine.shop import image
from tests.engine.target import Target


@pytest.fixture
def released(target: Target) -> tuple[str, str]:
    """The source commit and the release commit of ui, which the work tree stands on."""
    source = target.shop.head
    commit = target.writer.write_back(source, [target.release()]).commit
    assert commit is not None
    target.shop.run("pull", "-q", "--rebase", "origin", "main")
    return source, commit


def relation(target: Target, released: tuple[str, str], revision: str) -> Relation:
    source, commit = released
    service = target.writer.environment.service("ui")
    return relation_to(target.mirror, commit, service, image("ui", source))(revision)


def test_what_came_before_or_is_no_commit_does_not_carry_it(target: Target, released: tuple[str, str]) -> None:
    for revision in (released[0], "1" * 40, "main", "1.2.3", "", "--help"):
        assert relation(target, released, revision) is Relation.BEFORE


def test_the_commit_itself_and_what_came_after_it_elsewhere_carry_it(target: Target, released: tuple[str, str]) -> None:
    later = target.shop.commit("Edit", {"README.md": "x\n"})
    assert not target.mirror.git.is_commit(later)
    for revision in (released[1], later):
        assert relation(target, released, revision) is Relation.CARRIES


@pytest.mark.parametrize("values", [None, "images: {}\n", "image: {repository: a.example/b, tag: c}\n"])
def test_a_later_commit_that_carries_something_else_supersedes_it(
    target: Target, released: tuple[str, str], values: str | None
) -> None:
    later = target.shop.commit("Edit", {"src/ui/chart/values-dev.yaml": values})
    assert relation(target, released, later) is Relation.SUPERSEDED
