"""A run that is killed at any instant leaves nothing behind, and the next one takes its release up."""

from __future__ import annotations

import uuid

from deployments.local.git_server import BOT
from tests.chaos.faults import Underway, pushed, until
from tests.chaos.parts import frozen
from tests.chaos.soundness import assert_nothing_left, assert_sound
from tests.e2e.store import SERVICES, Store


def test_killed_at_one_stage_after_the_other_each_run_does_what_the_last_one_left_and_the_release_is_made_once(
    adopted: Store,
) -> None:
    git, name = adopted.stack.git, adopted.stack.repository
    mark, file = uuid.uuid4().hex, "src/ui/Dockerfile"
    source = adopted.change("ui", "cart", **{file: f"{adopted.read(file)}RUN sleep 6; : {mark}\n"})
    others = dict.fromkeys(SERVICES, "unchanged")

    building = Underway.begin(adopted)
    until(lambda: building.building(mark) and pushed(adopted, source, "cart"))
    building.kill()
    until(lambda: not building.building(mark), seconds=5)
    assert not pushed(adopted, source, "ui")

    with_its_images = Underway.begin(adopted)
    until(lambda: with_its_images.building(mark))
    with frozen(git):
        until(lambda: pushed(adopted, source, "ui"))
        until(with_its_images.transfers)
        with_its_images.kill()
    assert adopted.planned(with_its_images.end()) == others | {"ui": "build", "cart": "reuse"}
    assert adopted.builds(with_its_images.id) == {"ui"}
    assert adopted.head == source

    with git.hold(name, BOT):
        pushing = Underway.begin(adopted)
        until(lambda: git.holding(name))
        pushing.kill()
        assert adopted.head == source
    assert adopted.planned(pushing.end()) == others | {"ui": "reuse", "cart": "reuse"}
    assert adopted.builds(pushing.id) == set()

    with frozen(adopted.stack.argocd):
        unverified = Underway.begin(adopted)
        until(lambda: adopted.since(source))
        unverified.kill()
    [released] = adopted.since(source)
    assert adopted.builds(unverified.id) == set()

    last = adopted.release()
    assert last.state == "COMPLETED", last.message
    assert adopted.planned(last) == others | {"ui": "unverified", "cart": "unverified"}
    assert adopted.head == released
    assert adopted.builds(last) == set()
    assert_sound(adopted, source)
    assert_nothing_left(adopted)
