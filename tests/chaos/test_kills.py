"""A run that is killed at any instant leaves nothing behind, and the next one completes its release."""

from __future__ import annotations

import uuid

from deployments.local.git_server import BOT
from tests.chaos.faults import Underway, pushed, until
from tests.chaos.parts import frozen
from tests.chaos.soundness import assert_nothing_left, assert_sound
from tests.e2e.store import SERVICES, Store


def test_killed_during_a_build_the_next_run_builds_what_the_registry_lacks(adopted: Store) -> None:
    mark, file = uuid.uuid4().hex, "src/ui/Dockerfile"
    source = adopted.change("ui", "cart", **{file: f"{adopted.read(file)}RUN sleep 6; : {mark}\n"})
    run = Underway.begin(adopted)
    until(lambda: run.building(mark) and pushed(adopted, source, "cart"))
    run.kill()
    until(lambda: not run.building(mark), seconds=5)
    assert not pushed(adopted, source, "ui")
    again = adopted.release()
    assert again.state == "COMPLETED", again.message
    assert adopted.planned(again) == dict.fromkeys(SERVICES, "unchanged") | {"ui": "build", "cart": "reuse"}
    assert adopted.builds(again) == {"ui"}
    assert_sound(adopted, source)
    assert_nothing_left(adopted)


def test_killed_after_the_images_and_again_during_its_push_it_builds_nothing_twice_and_commits_once(
    adopted: Store,
) -> None:
    git, name = adopted.stack.git, adopted.stack.repository
    source = adopted.change("ui", "cart")
    first = Underway.begin(adopted)
    until(lambda: adopted.builds(first.id))
    with frozen(git):
        until(lambda: pushed(adopted, source, "ui", "cart"))
        until(first.transfers)
        first.kill()
    assert adopted.head == source
    with git.hold(name, BOT):
        second = Underway.begin(adopted)
        until(lambda: git.holding(name))
        second.kill()
        assert adopted.head == source
    assert adopted.builds(second.id) == set()
    third = adopted.release()
    assert third.state == "COMPLETED", third.message
    assert adopted.builds(third) == set()
    assert_sound(adopted, source)
    assert_nothing_left(adopted)


def test_killed_before_the_verification_the_next_run_verifies_what_was_pushed(adopted: Store) -> None:
    source = adopted.change("orders", "checkout")
    with frozen(adopted.stack.argocd):
        run = Underway.begin(adopted)
        until(lambda: adopted.since(source))
        run.kill()
    [released] = adopted.since(source)
    again = adopted.release()
    assert again.state == "COMPLETED", again.message
    assert adopted.planned(again) == dict.fromkeys(SERVICES, "unchanged") | {
        "orders": "unverified",
        "checkout": "unverified",
    }
    assert adopted.head == released
    assert adopted.builds(again) == set()
    assert_sound(adopted, source)
    assert_nothing_left(adopted)
