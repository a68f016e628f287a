"""Charts in a repository of their own: what is released is read from one repository, and written to another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from argosy import notes, sources, trailers
from argosy.argocd.judgement import Relation
from argosy.argocd.lineage import relation_to
from argosy.errors import Terminal, Transient
from argosy.github.pull_requests import PullRequests
from argosy.gitops.apart import ApartMirror
from argosy.gitops.mirror import Discarded, Mirror
from argosy.gitops.remote import Remote
from argosy.gitops.restoring import restore
from argosy.holds import holding, holds
from argosy.models import Health, Hold, ImageReference, Release, Verdict
from argosy.rollback import Chooser, RollbackRequest
from argosy.state import Reader
from tests.engine.apart import APART, DEV, Apart, values
from tests.engine.forge import Forge
from tests.engine.shop import VALUES, Shop, image, run
from tests.engine.test_damage import cut, loose


@pytest.fixture
def apart(shop: Shop, tmp_path: Path) -> Apart:
    return Apart(tmp_path, shop)


def typed(apart: Apart, service: str, tag: str) -> str:
    """Set the service's tag by hand in the charts; the SHA of that."""
    apart.charts.run("pull", "-q", "origin", "main")
    text = (apart.charts.path / values(service)).read_text()
    old = apart.of(service).current
    assert old
    return apart.charts.commit(f"Set {service} to {tag}", {values(service): text.replace(old.tag, tag)})


def test_a_release_is_one_commit_in_the_charts_alone_and_the_next_run_finds_nothing_to_do(apart: Apart) -> None:
    source = apart.shop.head
    commit = apart.adopted()
    assert apart.subjects() == ["Release ui, cart to dev [skip ci]", "Lay out the charts"]
    assert all(f'tag: "{source}"' in apart.read(values(service)) for service in ("ui", "cart"))
    assert run("-C", str(apart.shop.origin), "rev-parse", "main") == source
    assert {each.released_from for each in trailers.records(apart.mirror.git, commit, "dev")} == {source}
    assert apart.states() == {"ui": "unverified", "cart": "unverified"}
    apart.writer("run-2").record({commit: [line(apart, service) for service in ("ui", "cart")]})
    assert apart.states() == {"ui": "unchanged", "cart": "unchanged"}
    assert "healthy" in run("-C", str(apart.charts.origin), "notes", "--ref", notes.ref("dev"), "show", commit)
    assert run("-C", str(apart.shop.origin), "for-each-ref", "--format=%(refname)") == "refs/heads/main"
    found = sources.resolve(apart.source, "dev", None, lambda _: apart.mirror)
    assert (found.source_sha, found.target_sha) == (source, commit)
    apart.shop.commit("Edit", {"src/ui/main.txt": "ui two\n"})
    assert apart.states() == {"ui": "reuse", "cart": "unchanged"}


def line(apart: Apart, service: str) -> str:
    verdict = Verdict(service, image(service, apart.shop.head), Health.HEALTHY, "")
    return notes.line(verdict, "sha256:" + "b" * 64, "run", datetime.now(UTC))


def test_a_hand_in_the_charts_wins_until_the_content_is_another(apart: Apart) -> None:
    apart.adopted()
    typed(apart, "ui", "1.0-hotfix")
    item = apart.of("ui")
    assert (item.state.value, item.hold and item.hold.who) == ("held", "Dev")
    apart.shop.commit("Edit", {"src/ui/main.txt": "ui two\n"})
    assert apart.states()["ui"] == "reuse"


def test_what_changed_in_the_source_since_the_release_is_not_what_a_hand_holds(apart: Apart) -> None:
    """Both branches are called main: a hand's commit is none of the source's, so it is measured by the last release."""
    apart.adopted()
    apart.shop.commit("Edit", {"src/ui/main.txt": "ui two\n"})
    typed(apart, "ui", "1.0-hotfix")
    assert apart.states()["ui"] == "reuse"


def test_a_hold_lies_in_the_charts_and_is_respected(apart: Apart) -> None:
    apart.adopted()
    source = apart.shop.commit("Edit", {"src/ui/main.txt": "ui two\n"})
    hold = Hold("ui", "dev", "it loses baskets", "Ada Lovelace", since=datetime(2026, 1, 1, tzinfo=UTC))
    assert holding.put(apart.writer("run-2"), [hold]).commit
    assert "Ada Lovelace" in apart.read(holds.FILE)
    assert apart.states()["ui"] == "held"
    apart.source.update()
    written = apart.writer("run-3").write_back(source, [replace(apart.release(), expected=image("ui", source))])
    assert (written.commit, list(written.held)) == (None, ["ui"])


def test_a_rollback_goes_to_the_charts_with_its_hold(apart: Apart) -> None:
    first = apart.shop.head
    apart.writer().record({apart.adopted(): [line(apart, "ui")]})
    second = apart.shop.commit("Edit", {"src/ui/main.txt": "ui two\n"})
    apart.source.update()
    later = replace(apart.release(), expected=image("ui", first))
    assert apart.writer("run-2").write_back(second, [later]).released == ("ui",)
    apart.mirror.update()
    git, head = apart.mirror.git, apart.mirror.branch("main")
    reader = Reader.open(git, apart.environment, head, second)
    chooser = Chooser(git, apart.environment, reader, second, apart.shop.digests().desired(second), ())
    chosen = chooser.choose(RollbackRequest(("ui",), "it loses baskets", "Ada"), datetime.now(UTC))
    restored = restore(apart.writer("run-3"), second, chosen, "it loses baskets (Ada)")
    assert restored.released == ("ui",)
    assert f'tag: "{first}"' in apart.read(values("ui"))
    assert apart.states()["ui"] == "held"


@pytest.mark.parametrize("how", ["reset", "deleted"])
def test_a_commit_that_leaves_the_source_branch_before_it_is_written_is_not(apart: Apart, how: str) -> None:
    first, second = apart.shop.head, apart.shop.commit("Edit", {"src/ui/main.txt": "ui two\n"})
    apart.source.update()
    origin = str(apart.shop.origin)
    run("-C", origin, "update-ref", *(("-d", "refs/heads/main") if how == "deleted" else ("refs/heads/main", first)))
    with pytest.raises(Terminal, match=r"is not on main|has no branch main"):
        apart.writer().write_back(second, [apart.release()])
    assert apart.subjects() == ["Lay out the charts"]


def test_the_source_is_read_again_at_each_attempt(apart: Apart) -> None:
    first, second = apart.shop.head, apart.shop.commit("Edit", {"src/ui/main.txt": "ui two\n"})
    release, push = apart.release(), apart.mirror.push

    def compete_then_push(commit: str, ref: str, expected: str | None) -> None:
        apart.charts.commit("Compete", {"notes.txt": "mine\n"})
        run("-C", str(apart.shop.origin), "update-ref", "refs/heads/main", first)
        push(commit, ref, expected)

    apart.mirror.push = compete_then_push  # type: ignore[method-assign] # the race, made certain
    with pytest.raises(Terminal, match="is not on main"):
        apart.writer().write_back(second, [release])
    assert apart.subjects() == ["Compete", "Lay out the charts"]


def test_a_source_that_cannot_be_reached_lets_nothing_be_written(apart: Apart) -> None:
    release = apart.release()
    apart.shop.origin.rename(apart.shop.origin.with_suffix(".away"))
    with pytest.raises((Terminal, Transient)):
        apart.writer().write_back(apart.shop.head, [release])
    assert apart.subjects() == ["Lay out the charts"]


def test_an_older_commit_takes_no_newer_release_back(apart: Apart) -> None:
    older, release = apart.shop.head, apart.release()
    newer = apart.shop.commit("Edit", {"src/ui/main.txt": "ui two\n"})
    assert apart.writer().write_back(newer, [apart.release()]).released == ("ui",)
    written = apart.writer("run-2").write_back(older, [release])
    assert (written.commit, list(written.superseded)) == (None, ["ui"])


def test_a_release_that_a_force_push_took_from_the_source_may_be_replaced(apart: Apart) -> None:
    """It descends from what is released now, but the source does not have it: no ref of the charts can tell."""
    older, release = apart.shop.head, apart.release()
    newer = apart.shop.commit("Edit", {"src/ui/main.txt": "ui two\n"})
    apart.writer().write_back(newer, [apart.release()])
    run("-C", str(apart.shop.origin), "update-ref", "refs/heads/main", older)
    written = apart.writer("run-2").write_back(older, [replace(release, expected=image("ui", newer))])
    assert (written.released, written.superseded) == (("ui",), {})


def test_a_revision_of_the_charts_that_argo_cd_compared_is_related_to_the_release(apart: Apart) -> None:
    before, commit = apart.charts.head, apart.adopted()
    related = relation_to(apart.mirror, commit, apart.environment.service("ui"), image("ui", apart.shop.head))
    apart.charts.run("pull", "-q", "origin", "main")
    after = apart.charts.commit("Go on", {"notes.txt": "mine\n"})
    assert [related(each) for each in (before, commit, after, apart.shop.head)] == [
        Relation.BEFORE, Relation.CARRIES, Relation.CARRIES, Relation.BEFORE,
    ]  # fmt: skip


def test_what_a_release_writes_elsewhere_is_an_input_like_any_other_here(apart: Apart) -> None:
    described = apart.environment
    assert described.written == {"src/ui/chart/values.yaml", "src/cart/chart/values.yaml"}
    apart.shop.configure("  ui: {}", "  ui: {shared: [charts/ui]}")
    before = apart.shop.digests().desired(apart.shop.commit("Copy", {values("ui"): "image: {}\n"}))["ui"]
    after = apart.shop.digests().desired(apart.shop.commit("Edit", {values("ui"): "image: {tag: x}\n"}))["ui"]
    assert before != after


def test_where_charts_lie_changes_no_content(apart: Apart) -> None:
    """The chart in the source is no part of an image whether an environment uses it or not."""
    before = apart.shop.run("rev-parse", "HEAD~1")
    assert DEV in run("-C", str(apart.shop.path), "show", f"{before}:argosy.yaml")
    there = apart.shop.digests().desired(apart.shop.head)
    assert apart.shop.digests(before).desired(before) == there, "it builds nothing anew to move charts away"
    assert there == apart.shop.digests(name="prod").desired(apart.shop.head)
    edited = apart.shop.commit("Edit the chart here", {"src/ui/chart/values-dev.yaml": "image: {tag: x}\n"})
    assert apart.shop.digests().desired(edited) == there


@pytest.mark.parametrize(
    ("which", "how"),
    [("source", "thrown away"), ("source", "replaced by an empty one"), ("mirror", "thrown away")],
)
def test_a_mirror_that_is_gone_is_no_answer_and_is_made_anew(apart: Apart, which: str, how: str) -> None:
    apart.adopted()
    gone: Mirror = getattr(apart, which)
    gone.path.rename(gone.path.with_suffix(".gone"))
    if how != "thrown away":
        gone._create()
    git = apart.mirror.git
    if which == "source":
        for ask in (
            lambda: git.is_commit(apart.shop.head),
            lambda: git.file(apart.shop.head, "argosy.yaml"),
            lambda: git.is_ancestor(apart.shop.head, apart.shop.head),
        ):
            with pytest.raises(Discarded, match="thrown away"):
                ask()
        assert apart.mirror.path.exists()
    apart.mirror.update()
    assert apart.states() == {"ui": "unverified", "cart": "unverified"}


@pytest.mark.parametrize(("which", "damage"), [("source", cut), ("source", Path.unlink), ("mirror", cut)])
def test_a_damaged_object_of_either_mirror_is_healed_by_the_next_attempt(
    apart: Apart, which: str, damage: Callable[[Path], None]
) -> None:
    apart.adopted()
    apart.mirror.update()
    name = "main:src/ui/Dockerfile" if which == "source" else f"main:{values('ui')}"
    apart.shop.commit("Edit", {"src/ui/main.txt": "ui two\n"})
    apart.source.update()
    damage(loose(getattr(apart, which), name))
    with pytest.raises(Discarded):
        apart.states()
    assert apart.states() == {"ui": "reuse", "cart": "unverified"}


def test_no_object_of_the_source_is_missed_in_the_charts_own_mirror(apart: Apart, tmp_path: Path) -> None:
    """What a release writes may be in the source already, byte for byte, and git writes no object twice."""
    release = apart.release()
    made = VALUES.replace("public.example/shop-{service}", release.reference.repository)
    made = made.replace("1.0", release.reference.tag)
    source = apart.shop.commit("Write the same here", {"copy.yaml": made})
    apart.source.update()
    commit = apart.writer().write_back(source, [release]).commit
    assert apart.read(values("ui")) == made.strip()
    apart.mirror.update()
    alone = Mirror(apart.home, Remote(str(apart.charts.origin)))
    assert alone.git.file(str(commit), values("ui")) == made.encode()
    assert not (apart.mirror.path / "objects/info/alternates").exists()


def test_the_cache_folder_may_be_moved(apart: Apart, tmp_path: Path) -> None:
    apart.adopted()
    apart.mirror.update()
    apart.home.rename(tmp_path / "elsewhere")
    moved = Mirror(tmp_path / "elsewhere", apart.source.remote)
    git = ApartMirror(tmp_path / "elsewhere", apart.mirror.remote, moved).git
    assert git.is_ancestor(apart.shop.head, "refs/heads/main") is False
    assert git.is_commit(apart.shop.head)


def test_a_folder_with_a_colon_and_a_quote_in_its_name_divides_nothing(shop: Shop, tmp_path: Path) -> None:
    folder = tmp_path / 'a:"b'
    folder.mkdir()
    apart = Apart(folder, shop)
    assert apart.mirror.git.is_commit(shop.head)
    assert apart.writer().write_back(shop.head, [apart.release()]).released == ("ui",)


def test_two_shops_share_the_mirror_of_their_charts(apart: Apart, tmp_path: Path) -> None:
    other = Shop(tmp_path / "other")
    other.commit("Open another", {"README": "other\n"})
    source = Mirror(apart.home, Remote(str(other.origin)))
    source.update()
    theirs = ApartMirror(apart.home, apart.mirror.remote, source)
    assert theirs.path == apart.mirror.path
    assert (theirs.git.is_commit(other.head), theirs.git.is_commit(apart.shop.head)) == (True, False)
    assert (apart.mirror.git.is_commit(other.head), apart.mirror.git.is_commit(apart.shop.head)) == (False, True)


def test_a_pull_request_goes_to_the_charts_and_stays_as_long_as_the_source_has_what_it_releases(
    forge: Forge, tmp_path: Path
) -> None:
    (tmp_path / "source").mkdir()
    shop = Shop.opened(tmp_path / "source")
    shop.configure(f"source: {{branch: main}}\n    {DEV}", f"source: {{branch: trunk}}\n    {APART}")
    forge.shop.commit("Lay out the charts", {values(name): forge.values(name) for name in ("ui", "cart")})
    source = Mirror(forge.folder / "home", Remote(str(shop.origin)))
    mirror = ApartMirror(forge.folder / "home", forge.mirror.remote, source)

    def proposed(name: str) -> str | None:
        shop.run("push", "-q", "origin", "HEAD:refs/heads/trunk")
        source.update()
        mirror.update()
        environment = replace(shop.environment(), mode="pull-request")
        content = shop.digests().desired(shop.head)["ui"]
        ui, expected = environment.service("ui"), ImageReference("public.example/shop-ui", "1.0")
        release = Release(ui, expected, image("ui", shop.head), content, "sha256:" + "b" * 64)
        with forge.client() as client:
            delivery = PullRequests(client, environment, "release", "argosy@example.com", frozenset({"ui"}))
            writer = replace(forge.writer(name), mirror=mirror, source=source, environment=environment)
            return replace(writer, delivery=delivery).write_back(shop.head, [release]).pull_request

    first = proposed("run-1")
    tip = forge.tip("argosy/dev/release")
    assert first
    assert shop.head in forge.read(values("ui"), "argosy/dev/release")
    shop.commit("Change no content", {"README": "read me\n"})
    assert (proposed("run-2"), forge.tip("argosy/dev/release")) == (first, tip)
