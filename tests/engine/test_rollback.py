"""Which release a service goes back to, and the one commit that takes it there, on real repositories."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from argosy import trailers
from argosy.errors import ConfigurationError, PolicyRefused, Terminal, WrongUse
from argosy.gitops.restoring import restore
from argosy.holds import holding, holds
from argosy.models import Hold, State
from argosy.rollback import Chooser, Restoration, RollbackRequest
from argosy.state import Reader
from tests.engine.planning import of, planned, verify
from tests.engine.shop import image
from tests.engine.target import NOW, Target

ASKED = RollbackRequest(("ui",), "it loses baskets", "Ada Lovelace")
VALUES = "src/ui/chart/values-dev.yaml"


class Story:
    """Releases of ui, one after the other: `sources` are the commits that were released."""

    def __init__(self, target: Target) -> None:
        self.target, self.shop, self.sources = target, target.shop, list[str]()

    def release(self, *, healthy: bool = True) -> str:
        number = len(self.sources)
        source = self.shop.commit("Edit", {"src/ui/main.txt": f"{number}\n"}) if number else self.shop.head
        self.shop.release("ui", source)
        if healthy:
            verify(self.shop, "ui", source)
        self.sources.append(source)
        return source

    def chooser(self, in_force: Sequence[Hold] = ()) -> Chooser:
        shop, head = self.shop, self.shop.head
        environment = shop.environment()
        desired = shop.digests().desired(head)
        return Chooser(shop.git, environment, Reader.open(shop.git, environment, head), head, desired, in_force)

    def chosen(self, in_force: Sequence[Hold] = (), **more: object) -> Restoration:
        request = replace(ASKED, **more)  # type: ignore[arg-type] # as given
        [found] = self.chooser(in_force).choose(request, datetime.now(UTC))
        return found

    def back(self, in_force: Sequence[Hold] = ()) -> Restoration:
        """Roll back as it is chosen; the work tree is on that commit then."""
        chosen = self.chosen(in_force)
        self.target.mirror.update()
        written = restore(self.target.writer, self.shop.head, [chosen], "it loses baskets (Ada Lovelace)")
        assert written.commit
        self.shop.run("pull", "-q", "origin", "main")
        return chosen


@pytest.fixture
def story(target: Target) -> Story:
    return Story(target)


def test_a_service_goes_back_to_the_last_release_that_was_seen_healthy(story: Story) -> None:
    first = story.release()
    story.release(healthy=False)
    bad = story.release()
    found = story.chosen()
    assert (found.current, found.reference, found.record.source_sha) == (image("ui", bad), image("ui", first), first)


def test_what_it_is_taken_back_from_is_held_by_content_in_the_name_of_who_asked(story: Story) -> None:
    story.release()
    bad = story.release()
    hold = story.chosen().hold
    assert (hold.digest, hold.commit) == (story.shop.digests(bad).desired(bad)["ui"].hex, bad)
    assert (hold.service, hold.environment, hold.reason, hold.who) == ("ui", "dev", ASKED.reason, ASKED.who)


def test_back_from_a_rollback_is_further_back_and_never_forward_to_what_is_held(story: Story) -> None:
    first, second, _ = story.release(), story.release(), story.release()
    hold = story.back().hold
    assert second in (story.shop.path / VALUES).read_text()
    assert story.chosen([hold]).reference == image("ui", first)
    assert story.chosen([]).reference == image("ui", first)


def test_a_release_that_is_held_by_content_is_passed_over_and_one_held_whatever_its_content_is_not(
    story: Story,
) -> None:
    first, second = story.release(), story.release()
    story.release()
    content = Hold("ui", "dev", "x", "y", NOW, digest=story.shop.digests(second).desired(second)["ui"].hex)
    assert story.chosen([content]).reference == image("ui", first)
    assert story.chosen([Hold("ui", "dev", "x", "y", NOW, commit=second)]).reference == image("ui", first)
    assert story.chosen([Hold("ui", "dev", "freeze", "y", NOW)]).reference == image("ui", second)


@pytest.mark.parametrize("healthy", [[], [False, True], [True]])
def test_without_an_earlier_verified_release_there_is_no_way_back(story: Story, healthy: list[bool]) -> None:
    for each in healthy:
        story.release(healthy=each)
    with pytest.raises(Terminal, match=r"ui: no release of it before .* was verified") as refused:
        story.chosen()
    assert "--to" in (refused.value.remedy or "")


def test_where_nothing_is_watched_every_release_counts(story: Story) -> None:
    first = story.release(healthy=False)
    story.release(healthy=False)
    story.shop.configure('argocd: {application: "shop-{service}"}\n', "")
    assert story.chosen().reference == image("ui", first)


def test_a_release_may_be_named_by_its_commit_by_its_source_or_by_its_tag(story: Story) -> None:
    first = story.release(healthy=False)
    release = story.shop.head
    story.release()
    long = trailers.long_tag(first, f"sha256:{'a' * 64}")
    assert {story.chosen(to=to).reference for to in (first, release, long)} == {image("ui", first)}


@pytest.mark.parametrize("to", ["a" * 40, "1.0", "main", "HEAD~1", ""])
def test_what_is_no_release_of_the_service_is_refused(story: Story, to: str) -> None:
    story.release()
    story.release()
    if to:
        with pytest.raises(WrongUse, match=f"ui: {to} is no release of it in dev"):
            story.chosen(to=to)
    with pytest.raises(WrongUse, match="is no release of it"):
        story.chosen(to=story.shop.commit("Edit", {"README.md": "x\n"}))


def test_a_release_of_another_service_is_none_of_this_one(story: Story) -> None:
    story.release()
    story.shop.release("cart", story.shop.commit("Edit", {"src/cart/main.txt": "x\n"}))
    with pytest.raises(WrongUse, match="is no release of it"):
        story.chosen(to=story.shop.head)


def test_a_named_release_that_is_held_is_refused_by_that_policy(story: Story) -> None:
    first = story.release()
    story.release()
    with pytest.raises(PolicyRefused, match=r"that release is held: x \(y\)"):
        story.chosen([Hold("ui", "dev", "x", "y", NOW, commit=first)], to=first)


def test_what_runs_already_and_what_says_too_little_is_refused(story: Story) -> None:
    story.release()
    second = story.release()
    with pytest.raises(WrongUse, match="already"):
        story.chosen(to=second)
    for less in ({"services": ()}, {"reason": " "}, {"who": ""}):
        with pytest.raises(WrongUse, match="a reason and a name"):
            story.chooser().choose(replace(ASKED, **less), NOW)
    with pytest.raises(ConfigurationError, match="no service uii"):
        story.chosen(services=("uii",))


def test_the_others_go_back_where_one_has_no_way(story: Story) -> None:
    first = story.release()
    story.release()
    found, failures = story.chooser().each(replace(ASKED, services=("cart", "ui")), NOW)
    assert ([each.reference for each in found], list(failures)) == ([image("ui", first)], ["cart"])


def test_from_a_hand_it_goes_to_the_newest_verified_release_and_what_would_follow_is_held(story: Story) -> None:
    first = story.release()
    story.shop.set_by_hand("ui", "1.0-hotfix")
    newer = story.shop.commit("Edit", {"src/ui/main.txt": "newer\n"})
    found = story.chosen()
    assert (found.reference, found.current.tag) == (image("ui", first), "1.0-hotfix")
    assert found.hold.digest == story.shop.digests(newer).desired(newer)["ui"].hex


# the commit


def test_one_commit_restores_the_references_and_holds_what_was_bad_so_that_no_run_undoes_it(story: Story) -> None:
    first = story.release()
    story.release()
    before = story.target.log()
    story.back()
    assert story.target.log() == ["Roll back ui in dev [skip ci]", *before]
    assert set(story.shop.run("diff", "--name-only", "HEAD~1").split()) == {VALUES, holds.FILE}
    assert "it loses baskets (Ada Lovelace)" in story.shop.run("log", "-1", "--format=%b")
    item = of(story.shop)
    assert (item.state, item.current, item.hold and item.hold.by_hand) == (State.HELD, image("ui", first), False)
    assert planned(story.shop).by_hand == ()


def test_newer_content_is_released_after_a_rollback(story: Story) -> None:
    story.release()
    story.release()
    story.back()
    story.shop.commit("Mend", {"src/ui/main.txt": "mended\n"})
    assert of(story.shop).state is State.BUILD


def test_a_rollback_to_content_that_is_desired_again_is_simply_right(story: Story) -> None:
    story.release()
    story.release()
    story.shop.commit("Take back", {"src/ui/main.txt": "ui one\n"})
    story.back()
    assert of(story.shop).state is State.UNCHANGED


def test_a_release_that_came_meanwhile_is_not_taken_back(story: Story) -> None:
    story.release()
    story.release()
    chosen = story.chosen()
    newest = story.release()
    written = restore(story.target.writer, story.shop.head, [chosen], "x")
    assert (written.commit, list(written.left_out)) == (None, ["ui"])
    assert newest in story.target.read(VALUES)
    assert holds.read(story.shop.git, "HEAD") == ()


def test_a_push_whose_answer_was_lost_is_found_again_and_not_repeated(story: Story) -> None:
    story.release()
    story.release()
    chosen, source = story.chosen(), story.shop.head
    first = restore(story.target.writer, source, [chosen], "x")
    again = restore(story.target.writer, source, [chosen], "x")
    assert first.commit == again.commit
    assert again.released == ("ui",)
    assert story.target.log().count("Roll back ui in dev [skip ci]") == 1


def test_a_hold_that_was_lifted_after_our_push_is_not_put_again_by_its_retry(story: Story) -> None:
    story.release()
    story.release()
    chosen, source = story.chosen(), story.shop.head
    first = restore(story.target.writer, source, [chosen], "x")
    holding.lift(replace(story.target.writer, run="person"), ["ui"], [], NOW)
    assert restore(story.target.writer, source, [chosen], "x").commit == first.commit
    story.shop.run("pull", "-q", "origin", "main")
    assert holds.read(story.shop.git, "HEAD") == ()


def test_holds_of_others_survive_a_rollback(story: Story) -> None:
    story.release()
    story.release()
    story.shop.commit("Hold", {holds.FILE: "# ours\nholds:\n- {service: cart, environment: dev, reason: x, who: y,"
                                           " since: '2026-01-01T00:00:00Z'}\n"})  # fmt: skip
    story.back()
    assert [hold.service for hold in holds.read(story.shop.git, "HEAD")] == ["cart", "ui"]
    assert (story.shop.path / holds.FILE).read_text().startswith("# ours\n")
