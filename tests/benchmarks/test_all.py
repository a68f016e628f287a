from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.__main__ import run
from benchmarks.report import Figure, Result

RESULT = Result(benchmark="quick", about="nothing", figures=(Figure(name="it", rounds=(1.0,)),), ratios=())


def module(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> str:
    (folder / "quick_benchmark.py").write_text(text)
    monkeypatch.setenv("PYTHONPATH", str(folder))
    return "quick_benchmark"


def test_what_a_benchmark_prints_is_collected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = module(tmp_path, monkeypatch, f"print('''{RESULT.model_dump_json()}''')")
    ended = run("quick", name)
    assert ended.passed
    assert ended.document()["figures"] == [{"name": "it", "rounds": [1.0], "median": 1.0}]


def test_a_benchmark_that_breaks_has_not_passed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = run("quick", module(tmp_path, monkeypatch, "raise SystemExit(3)"))
    assert not ended.passed
    assert ended.document() == {"benchmark": "quick", "error": "it ended with status 3", "passed": False}
