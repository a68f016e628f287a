"""How a run is summed up, whatever its stages came to."""

from __future__ import annotations

from dataclasses import replace

from argosy.models import (
    BuildContext,
    BuildResult,
    BuildStatus,
    ContentDigest,
    Health,
    ImageReference,
    Plan,
    Service,
    ServicePlan,
    State,
    Verdict,
    WriteBack,
)
from argosy.report import Findings, Report, awaiting, planned, summarise

NOTHING = Findings(built={}, failures={}, written=None, verdicts={})


def service_plan(name: str, state: State) -> ServicePlan:
    service = Service(name, name, f"{name}/chart", f"{name}/chart/values.yaml", name, BuildContext(name, f"{name}/D"))
    wanted = ImageReference(f"registry.example/{name}", "a" * 40)
    return ServicePlan(
        service, state, f"{name} is {state}", ContentDigest("c" * 64), wanted, wanted, "b" * 40, "sha256:d"
    )


def plan(**states: State) -> Plan:
    items = tuple(service_plan(name, state) for name, state in states.items())
    return Plan("prod", "a" * 40, "b" * 40, items, watched=True)


def built(name: str) -> BuildResult:
    return BuildResult(name, BuildStatus.BUILT, ImageReference(f"r/{name}", "t"), "sha256:d", ContentDigest("c" * 64))


def verdict(name: str, health: Health) -> Verdict:
    return Verdict(name, ImageReference(f"r/{name}", "t"), health, f"{name} is {health}")


def failed(report: Report) -> list[str]:
    return [outcome.service for outcome in report.failed]


def test_a_service_that_failed_to_build_is_named_and_the_others_are_released() -> None:
    findings = replace(
        NOTHING,
        built={"ui": built("ui")},
        failures={"cart": "cart: no Dockerfile"},
        written=WriteBack("e" * 40, released=("ui",)),
        verdicts={"ui": verdict("ui", Health.HEALTHY)},
    )
    report = summarise(plan(ui=State.BUILD, cart=State.BUILD), findings)
    assert failed(report) == ["cart"]
    assert report.sentence() == "cart: no Dockerfile"
    assert report.commit == "e" * 40


def test_a_degraded_and_a_failed_verdict_fail_the_run_and_a_superseded_one_does_not() -> None:
    states = {"ui": Health.DEGRADED, "cart": Health.FAILED, "orders": Health.SUPERSEDED}
    findings = replace(NOTHING, verdicts={name: verdict(name, health) for name, health in states.items()})
    report = summarise(plan(ui=State.UNVERIFIED, cart=State.UNVERIFIED, orders=State.UNVERIFIED), findings)
    assert failed(report) == ["ui", "cart"]


def test_a_service_left_out_of_the_commit_fails_and_a_superseded_one_does_not() -> None:
    written = WriteBack(None, left_out={"ui": "somebody set it"}, superseded={"cart": "newer"})
    report = summarise(plan(ui=State.BUILD, cart=State.BUILD), replace(NOTHING, written=written))
    assert failed(report) == ["ui"]


def test_what_the_cache_saved_and_the_kind_of_a_failure_are_told_service_by_service() -> None:
    findings = replace(
        NOTHING,
        built={"ui": replace(built("ui"), steps=6, cached=4), "orders": replace(built("orders"), steps=0)},
        failures={"cart": "cart: network connectivity: no such host"},
        categories={"cart": "network connectivity"},
    )
    report = summarise(plan(ui=State.BUILD, cart=State.BUILD, orders=State.REUSE), findings)
    rows = {row["service"]: (row["cached"], row["category"]) for row in report.rows()}
    assert rows == {"ui": ("4 of 6 steps", ""), "cart": ("", "network connectivity"), "orders": ("", "")}
    builds = {each.service.name: (each.steps, each.cached, each.category) for each in report.builds}
    assert builds == {"ui": (6, 4, None), "cart": (0, 0, "network connectivity"), "orders": (0, 0, None)}


def test_a_problem_of_no_one_service_is_said() -> None:
    report = summarise(plan(ui=State.UNCHANGED), replace(NOTHING, problems=("the tags did not move",)))
    assert report.sentence() == "the tags did not move"


def test_unknown_services_are_said_loudly() -> None:
    report = planned(plan(ui=State.UNKNOWN, cart=State.UNCHANGED))
    assert report.unknown == ("ui",)
    assert "run once with adopt" in report.sentence()


def test_a_plan_says_what_would_be_released_and_an_idle_one_that_there_is_nothing_to_do() -> None:
    assert planned(plan(ui=State.BUILD, cart=State.UNCHANGED)).sentence() == "ui would be released to prod"
    assert planned(plan(ui=State.UNCHANGED)).sentence() == "nothing to do"


def test_what_was_written_and_what_was_never_seen_healthy_is_awaited_where_it_is_watched() -> None:
    made = plan(ui=State.BUILD, cart=State.BUILD, orders=State.UNVERIFIED, catalog=State.UNCHANGED)
    results = {"ui": built("ui"), "cart": built("cart")}
    found = awaiting(made, WriteBack("e" * 40, released=("ui",)), results)
    assert {item.name: item.commit for item in found} == {"ui": "e" * 40, "orders": "b" * 40}
    assert awaiting(replace(made, watched=False), WriteBack("e" * 40, released=("ui",)), results) == []


def test_what_could_not_be_written_is_not_awaited() -> None:
    assert awaiting(plan(ui=State.BUILD), None, {"ui": built("ui")}) == []


def test_a_service_that_somebody_held_before_the_push_is_told_as_held_and_fails_no_run() -> None:
    written = WriteBack("e" * 40, released=("cart",), held={"ui": "it loses baskets (Ada)"})
    findings = replace(NOTHING, built={"ui": built("ui"), "cart": built("cart")}, written=written)
    report = summarise(plan(ui=State.BUILD, cart=State.BUILD), findings)
    assert (failed(report), report.sentence()) == ([], "cart released to prod; ui held")
    assert report.outcomes[0].detail == "it loses baskets (Ada)"
