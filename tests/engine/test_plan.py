"""What a release would do, for each state that a service can be in; the repositories are real."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from argosy import plan, state
from argosy.errors import ConfigurationError
from argosy.models import Health, State
from argosy.standing import Presence, Situation, look
from tests.engine.planning import ABSENT, PRESENT, of, planned, verify
from tests.engine.shop import Shop, image, service_files


def test_before_adoption_every_service_is_unknown_and_nothing_is_written(shop: Shop) -> None:
    made = planned(shop)
    assert {item.state for item in made.services} == {State.UNKNOWN}
    assert made.nothing_to_do


def test_before_adoption_a_tag_that_is_a_commit_explains_nothing(shop: Shop) -> None:
    shop.commit(
        "Type a SHA", {"src/ui/chart/values-dev.yaml": f"image:\n  repository: r.example/a\n  tag: {shop.head}\n"}
    )
    assert of(shop).state is State.UNKNOWN


def test_adoption_builds_what_the_registry_lacks_and_reuses_what_it_has(shop: Shop) -> None:
    made = planned(shop, adopt=True, ui=PRESENT, cart=ABSENT).services
    assert {item.name: item.state for item in made} == {"ui": State.REUSE, "cart": State.BUILD}
    assert made[1].reason == "public.example/shop-cart:1.0 is taken over"


def test_a_released_service_that_was_never_seen_healthy_is_unverified(shop: Shop) -> None:
    sha = shop.head
    shop.release("ui", sha)
    verify(shop, "cart", sha)
    verify(shop, "ui", "1" * 40)
    assert of(shop).state is State.UNVERIFIED


def test_a_released_and_verified_service_is_unchanged(shop: Shop) -> None:
    sha = shop.head
    shop.release("ui", sha)
    verify(shop, "ui", sha)
    assert of(shop).state is State.UNCHANGED
    assert of(shop).wanted == image("ui", sha)


def test_a_plan_says_which_commit_released_what_it_finds(shop: Shop) -> None:
    commit = shop.release("ui", shop.head)
    shop.commit("Go on", {"README.md": "x\n"})
    assert (of(shop).release_commit, of(shop).manifest_digest) == (commit, f"sha256:{'a' * 64}")
    assert (of(shop, "cart").release_commit, of(shop, "cart").manifest_digest) == (None, None)


def test_a_long_tag_is_explained_by_its_release_or_its_commit(shop: Shop) -> None:
    sha = shop.head
    shop.release("ui", sha)
    for suffix in ("a" * 12, "b" * 12):
        values = f"image:\n  repository: registry.example:5000/shop-ui\n  tag: {sha}-{suffix}\n"
        shop.commit("Type", {"src/ui/chart/values-dev.yaml": values})
        assert (of(shop).state, of(shop).wanted.tag) == (State.UNVERIFIED, f"{sha}-{suffix}")


def test_adoption_of_some_leaves_the_others_unknown(shop: Shop) -> None:
    situation = look(shop.digests(), shop.head, shop.head, datetime.now(UTC))
    made = plan.make(shop.environment(), situation, adopt=True, services=("ui",))
    assert [(item.name, item.state) for item in made.services] == [("ui", State.BUILD)]
    shop.release("ui", shop.head)
    assert (of(shop).state, of(shop, "cart").state) == (State.UNVERIFIED, State.UNKNOWN)


def test_a_service_is_released_to_each_environment_of_a_branch_by_itself(shop: Shop) -> None:
    sha = shop.head
    shop.release("ui", sha)
    shop.release("ui", shop.commit("Edit", {"src/ui/main.txt": "ui two\n"}), "prod")
    assert of(shop).state is State.BUILD
    assert of(shop).current == image("ui", sha)


@pytest.mark.parametrize("health", [Health.DEGRADED, Health.FAILED, Health.SUPERSEDED])
def test_only_a_healthy_verdict_verifies(shop: Shop, health: Health) -> None:
    sha = shop.head
    shop.release("ui", sha)
    verify(shop, "ui", sha, health)
    assert of(shop).state is State.UNVERIFIED


def test_a_healthy_verdict_counts_whatever_was_said_after_it(shop: Shop) -> None:
    sha = shop.head
    shop.release("ui", sha)
    verify(shop, "ui", sha)
    verify(shop, "ui", sha, Health.DEGRADED)
    assert of(shop).state is State.UNCHANGED


def test_without_argocd_nothing_is_unverified(shop: Shop) -> None:
    text = (shop.path / "argosy.yaml").read_text().replace('argocd: {application: "shop-{service}"}\n', "")
    shop.release("ui", shop.commit("Stop watching", {"argosy.yaml": text}))
    assert of(shop).state is State.UNCHANGED


def test_changed_content_is_built_under_the_new_commit(shop: Shop) -> None:
    shop.release("ui", shop.head)
    sha = shop.commit("Edit", {"src/ui/main.txt": "ui two\n"})
    item = of(shop, ui=ABSENT)
    assert (item.state, item.wanted) == (State.BUILD, image("ui", sha))


def test_content_that_the_registry_has_is_reused(shop: Shop) -> None:
    shop.release("ui", shop.head)
    shop.commit("Edit", {"src/ui/main.txt": "ui two\n"})
    assert of(shop, ui=PRESENT).state is State.REUSE


def test_a_manifest_that_is_gone_is_built_again(shop: Shop) -> None:
    shop.release("ui", shop.head)
    assert of(shop, ui=Presence(content=False, current=False)).state is State.BUILD


def test_another_repository_in_the_configuration_is_written(shop: Shop) -> None:
    shop.release("ui", shop.head, registry="elsewhere.example")
    assert of(shop, ui=ABSENT).state is State.BUILD


def test_a_service_added_after_adoption_is_simply_built(shop: Shop) -> None:
    shop.release("ui", shop.head)
    text = (shop.path / "argosy.yaml").read_text().replace("  cart: {}", "  cart: {}\n  orders: {}")
    shop.commit("Add orders", service_files("orders") | {"argosy.yaml": text})
    assert (of(shop, "orders").state, of(shop, "orders").reason) == (State.BUILD, "never released before")


def test_a_service_older_than_the_adoption_that_no_trailer_names_is_unknown(shop: Shop) -> None:
    shop.release("ui", shop.head)
    assert of(shop, "cart").state is State.UNKNOWN


def test_a_commit_that_somebody_typed_explains_itself_after_the_adoption(shop: Shop) -> None:
    sha = shop.head
    shop.release("ui", sha)
    shop.set_by_hand("cart", sha)
    assert of(shop, "cart").state is State.UNVERIFIED


def test_a_release_from_a_branch_that_was_merged_beside_this_commit_is_no_newer_one(shop: Shop) -> None:
    shop.run("checkout", "-qb", "feature")
    feature = shop.commit("Feature", {"src/ui/main.txt": "feature\n"})
    shop.run("checkout", "-q", "main")
    beside = shop.commit("Go on", {"README.md": "x\n"})
    shop.run("merge", "-q", "--no-ff", "-m", "Merge", "feature")
    shop.release("ui", feature)
    item = of(shop, source=beside)
    assert (item.state, item.wanted.tag) == (State.BUILD, beside)


def test_trailers_of_another_environment_explain_nothing(shop: Shop) -> None:
    shop.release("ui", shop.head, "prod")
    assert of(shop).state is State.UNKNOWN


def test_a_tag_that_is_a_branch_or_an_abbreviated_sha_explains_nothing(shop: Shop) -> None:
    shop.release("ui", shop.head)
    for tag in ("main", shop.head[:12]):
        shop.set_by_hand("cart", tag)
        assert of(shop, "cart").state is State.UNKNOWN


def test_a_reference_whose_commit_is_gone_is_explained_by_its_own_trailer(shop: Shop) -> None:
    content = shop.digests().desired(shop.head)["ui"]
    gone = "1" * 40
    message = (
        f"Release ui\n\nArgosy-Environment: dev\nArgosy-Source: {gone}\n"
        f"Argosy-Service: ui {gone} {content.hex} sha256:{'a' * 64} 1\n"
    )
    values = "image:\n  repository: registry.example:5000/shop-{}\n  tag: '" + gone + "'\n"
    shop.commit(message, {f"src/{name}/chart/values-dev.yaml": values.format(name) for name in ("ui", "cart")})
    assert (of(shop).state, of(shop, "cart").state) == (State.UNVERIFIED, State.UNKNOWN)


def test_an_older_commit_never_replaces_a_newer_release(shop: Shop) -> None:
    older = shop.head
    shop.release("ui", shop.commit("Edit", {"src/ui/main.txt": "ui two\n"}))
    item = next(item for item in planned(shop, source=older).services if item.name == "ui")
    assert item.state is State.UNCHANGED
    assert "newer" in item.reason


def test_a_revert_of_the_sources_wants_the_earlier_content_under_the_new_commit(shop: Shop) -> None:
    first = shop.head
    shop.release("ui", first)
    shop.release("ui", shop.commit("Edit", {"src/ui/main.txt": "ui two\n"}))
    sha = shop.commit("Revert", {"src/ui/main.txt": "ui one\n"})
    item = of(shop, ui=PRESENT)
    assert (item.state, item.wanted.tag) == (State.REUSE, sha)
    assert item.content == shop.digests(first).desired(first)["ui"]


def test_the_previous_reference_is_the_last_verified_other_one(shop: Shop) -> None:
    first = shop.head
    shop.release("ui", first)
    verify(shop, "ui", first)
    second = shop.commit("Edit", {"src/ui/main.txt": "ui two\n"})
    shop.release("ui", second)
    third = shop.commit("Edit", {"src/ui/main.txt": "ui three\n"})
    shop.release("ui", third)
    assert state.read(shop.git, shop.environment(), shop.head)["ui"].previous == image("ui", first)
    verify(shop, "ui", third)
    assert state.read(shop.git, shop.environment(), shop.head)["ui"].previous == image("ui", first)


def test_the_hash_of_a_plan_changes_with_what_it_would_do_alone(shop: Shop) -> None:
    source = shop.head
    before = planned(shop, adopt=True, source=source).hash
    assert planned(shop, adopt=True, source=source).hash == before
    assert planned(shop, adopt=True, source=source, ui=PRESENT).hash != before


def test_an_unknown_service_in_the_request_is_refused_by_name(shop: Shop) -> None:
    situation = Situation(shop.head, shop.head, {}, {})
    with pytest.raises(ConfigurationError, match="no service basket"):
        plan.make(shop.environment(), situation, adopt=False, services=("basket",))


def test_a_missing_values_file_is_the_failure_of_its_service_alone(shop: Shop) -> None:
    shop.release("cart", shop.head)
    shop.commit("Drop", {"src/ui/chart/values-dev.yaml": None})
    made = planned(shop)
    assert made.failures[0][0] == "ui"
    assert made.failures[0][1].startswith("ui: src/ui/chart/values-dev.yaml is not in commit")
    assert [(item.name, item.state) for item in made.services] == [("cart", State.UNVERIFIED)]
    assert not made.nothing_to_do


def test_a_missing_dockerfile_is_the_failure_of_its_service_alone(shop: Shop) -> None:
    shop.release("cart", shop.head)
    shop.commit("Drop", {"src/ui/Dockerfile": None})
    made = planned(shop)
    assert made.failures[0][1].startswith("ui: src/ui/Dockerfile is not in commit")
    assert [item.name for item in made.services] == ["cart"]


def test_a_forced_service_is_built_whatever_the_registry_has(shop: Shop) -> None:
    sha = shop.head
    shop.release("ui", sha)
    verify(shop, "ui", sha)
    item = of(shop, force=("ui",), ui=PRESENT)
    assert (item.state, item.forced, item.wanted.tag) == (State.BUILD, True, shop.head)
    assert not of(shop, "cart", force=("ui",)).forced


def test_what_is_forced_is_no_way_around_a_hand(shop: Shop) -> None:
    shop.release("ui", shop.head)
    shop.set_by_hand("ui", "1.0-hotfix")
    assert (of(shop, force=("ui",)).state, of(shop, force=("ui",)).forced) == (State.HELD, False)
    with pytest.raises(ConfigurationError, match="no service basket"):
        planned(shop, force=("basket",))
