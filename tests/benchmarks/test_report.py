from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from io import StringIO

import pytest
from rich.console import Console

from benchmarks import report
from benchmarks.report import Bound, Figure, Ratio, Result


def result(*seconds: float, limit: float = 1.5, mebibytes: float = 300.0) -> Result:
    flow, floor = Figure(name="flow", rounds=seconds), Figure(name="floor", rounds=(2.0,))
    parts = report.breakdown("where it went", "floor", [("plan", 0.5), ("build", 1.0)], 2.0)
    return Result(
        benchmark="release",
        about="what it is",
        figures=(flow, floor),
        ratios=(Ratio.between(flow, floor, limit),),
        bounds=(Bound(name="memory", unit="MiB", rounds=(120.0, 250.4, 90.0), limit=mebibytes),),
        breakdowns=(parts,),
    )


def test_a_ratio_is_one_of_medians() -> None:
    slow, floor = Figure(name="flow", rounds=(3.0, 100.0, 1.0)), Figure(name="floor", rounds=(2.0, 1.0, 50.0))
    ratio = Ratio.between(slow, floor, 1.6)
    assert (ratio.name, ratio.value) == ("flow / floor", 1.5)


@pytest.mark.parametrize(("seconds", "passed"), [(2.9, True), (3.0, True), (3.1, False)])
def test_the_limit_itself_passes(seconds: float, passed: bool) -> None:
    assert result(seconds).passed is passed


def test_one_broken_limit_fails_the_whole() -> None:
    good, bad = result(2.0).ratios[0], result(4.0).ratios[0]
    assert not result(2.0).model_copy(update={"ratios": (good, bad)}).passed


@pytest.mark.parametrize(("mebibytes", "passed"), [(250.3, False), (250.4, True)])
def test_the_largest_value_of_any_round_counts_against_a_bound(mebibytes: float, passed: bool) -> None:
    assert result(2.0, mebibytes=mebibytes).passed is passed


def test_subjects_take_turns() -> None:
    order: list[str] = []
    told: list[str] = []

    def subject(name: str, seconds: Iterator[float]) -> Callable[[], float]:
        def measure() -> float:
            order.append(name)
            return next(seconds)

        return measure

    found = report.alternate(2, {"a": subject("a", iter([1.0, 2.0])), "b": subject("b", iter([3.0, 4.0]))}, told.append)
    assert order == ["a", "b", "a", "b"]
    assert [(figure.name, figure.rounds) for figure in found] == [("a", (1.0, 2.0)), ("b", (3.0, 4.0))]
    assert len(told) == 4


def test_a_subject_that_measures_several_things_has_a_figure_for_each() -> None:
    seconds = iter([1.0, 2.0, 3.0, 4.0])
    found = report.in_turn(2, [lambda: {"whole": next(seconds), "part": next(seconds)}], lambda line: None)
    assert {name: figure.rounds for name, figure in found.items()} == {"whole": (1.0, 3.0), "part": (2.0, 4.0)}


def test_the_document_has_every_figure_and_can_be_read_back() -> None:
    document = result(3.2).model_dump_json()
    read = json.loads(document)
    assert read["figures"][0] == {"name": "flow", "rounds": [3.2], "median": 3.2}
    assert read["ratios"] == [{"name": "flow / floor", "value": 1.6, "limit": 1.5, "passed": False}]
    assert [part["ratio"] for part in read["breakdowns"][0]["parts"]] == [0.25, 0.5]
    assert read["bounds"] == [
        {
            "name": "memory",
            "unit": "MiB",
            "rounds": [120.0, 250.4, 90.0],
            "limit": 300.0,
            "value": 250.4,
            "passed": True,
        }
    ]
    assert read["passed"] is False
    assert Result.model_validate_json(document) == result(3.2)


def test_people_see_figures_ratio_and_limit() -> None:
    shown = StringIO()
    Console(file=shown, width=100).print(report.show(result(3.2)))
    for words in (
        "what it is",
        "3.20 s",
        "1.60x",
        "at most 1.50x",
        "failed",
        "where it went",
        "0.25",
        "250 MiB",
        "at most 300 MiB",
    ):
        assert words in shown.getvalue()
    assert "250 MiB" in shown.getvalue()
    assert "at most 300 MiB" in shown.getvalue()


@pytest.mark.parametrize(("seconds", "status"), [(2.0, 0), (9.0, 1)])
def test_the_exit_code_says_whether_it_passed(
    seconds: float, status: int, capsys: pytest.CaptureFixture[str], restored_sigterm: None
) -> None:
    def benchmark(tell: Callable[[str], None]) -> Result:
        tell("working")
        return result(seconds)

    assert report.main(benchmark, ["--json"]) == status
    out, err = capsys.readouterr()
    assert json.loads(out)["passed"] is (status == 0)
    assert "working" in err
