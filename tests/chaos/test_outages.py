"""A part that is away for a while in the middle of a run: the run bears it, or says so and the next one completes."""

from __future__ import annotations

import uuid
from contextlib import AbstractContextManager

from tests.chaos.faults import Underway, pushed, until
from tests.chaos.parts import absent, closed_gate, frozen
from tests.chaos.soundness import assert_sound
from tests.e2e.block_values import block_values
from tests.e2e.store import SERVICES, Store


def test_a_run_bears_that_aws_the_engine_the_registry_git_and_argo_cd_are_away_one_after_the_other(
    adopted: Store,
) -> None:
    stack, mark, file = adopted.stack, uuid.uuid4().hex, "src/ui/Dockerfile"
    source = adopted.change("ui", "cart", **{file: f"{adopted.read(file)}RUN sleep 2; : {mark}\n"})
    with closed_gate(stack.aws.endpoint_url) as gate, _asked_once_at(adopted, gate.url):
        run = Underway.begin(adopted)
        until(run.tries_again)
        with frozen(stack.aws):
            gate.open()
            until(lambda: run.speaks_to(gate.url))
        until(lambda: run.building(mark) and pushed(adopted, source, "cart"))
        if stack.engine.private:  # the user's own is stopped by no test
            stack.engine.stop()
            assert not run.building(mark)
            stack.engine.start()
            until(lambda: run.building(mark))
        with absent(stack.registry, f"http://{stack.registry_host}") as registry:
            until(registry.asked)
        with frozen(stack.argocd), absent(stack.git, stack.git.url("")) as git:  # the stand-in asks git all the time
            until(git.asked)
        with absent(stack.argocd, stack.argocd.url) as argocd:
            until(argocd.asked)
        ended = run.end()
    assert ended.state == "COMPLETED", ended.message
    assert adopted.results(ended) == dict.fromkeys(SERVICES, "untouched") | {"ui": "healthy", "cart": "healthy"}
    assert_sound(adopted, source)


def _asked_once_at(store: Store, url: str) -> AbstractContextManager[None]:
    """AWS is asked at `url`, and an attempt is one request: the SDK's own retries would hide that it was refused."""
    parameters = {"endpoint_url": url, "config": {"retries": {"total_max_attempts": 1}}}
    return block_values(store, "aws-credentials", "aws", aws_client_parameters=parameters)


def test_a_git_server_that_stays_away_is_named_and_the_next_run_builds_nothing(adopted: Store) -> None:
    stack, source = adopted.stack, adopted.change("cart")
    run = Underway.begin(adopted)
    until(lambda: adopted.builds(run.id))
    with absent(stack.git, stack.git.url("")):
        ended = run.end()
    assert ended.state == "FAILED"
    assert stack.git.url(stack.repository) in ended.message
    assert (pushed(adopted, source, "cart"), adopted.head) == (True, source)
    again = adopted.release()
    assert again.state == "COMPLETED", again.message
    assert (adopted.planned(again)["cart"], adopted.builds(again)) == ("reuse", set())
    assert_sound(adopted, source)


def test_a_prefect_server_that_is_started_anew_and_hangs_later_holds_a_run_up_and_no_more(adopted: Store) -> None:
    stack, source = adopted.stack, adopted.change("orders")
    run = Underway.begin(adopted)
    until(lambda: adopted.api.artifacts(run.id))
    with frozen(stack.registry):
        until(lambda: run.speaks_to(f"http://{stack.registry_host}"))  # it asks for the image, and then builds it
        stack.prefect.stop()
    # Nobody listens for the seconds that this takes, in which the build loads its block: with the client of its run,
    # which has reached the server before and so waits for it. A new one would give up at once.
    stack.prefect.start()
    until(lambda: adopted.builds(run.id))
    with frozen(stack.prefect):
        until(lambda: pushed(adopted, source, "orders"))
    ended = run.end()
    assert ended.state == "COMPLETED", ended.message
    assert adopted.results(ended) == dict.fromkeys(SERVICES, "untouched") | {"orders": "healthy"}
    assert_sound(adopted, source)
