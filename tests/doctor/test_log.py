"""What the doctor writes into a log: a line for each check, for programs where they are asked for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.engine.shop import Shop

ROOT = Path(__file__).parents[2]


def doctor(shop: Shop, *words: str) -> subprocess.CompletedProcess[str]:
    env = {"PATH": os.environ["PATH"], "HOME": str(shop.path), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "argosy", "doctor", "--json", "--timeout", "0.5", *words]
    return subprocess.run(command, cwd=shop.path, env=env, capture_output=True, text=True, check=False)


def looked_at(done: subprocess.CompletedProcess[str]) -> list[tuple[str, str, str]]:
    findings: list[dict[str, Any]] = json.loads(done.stdout)["findings"]
    return [(each["level"], each["what"], each["where"]) for each in findings]


def test_each_check_is_a_line_of_json_on_standard_error_and_standard_output_is_as_without(shop: Shop) -> None:
    logged, plain = doctor(shop, "--log-format", "json"), doctor(shop)
    assert (plain.stderr, logged.returncode) == ("", plain.returncode)
    assert looked_at(logged) == looked_at(plain)
    lines = [json.loads(line) for line in logged.stderr.splitlines()]
    assert len(lines) == len(looked_at(logged)) > 3
    for line, (level, what, where) in zip(lines, looked_at(logged), strict=True):
        assert datetime.fromisoformat(line["time"]).tzinfo
        assert (line["level"], line["logger"].partition(".")[0]) == ("INFO", "argosy")
        assert line["message"].startswith(f"{level}: {what}, {where}: ")


def test_for_people_the_lines_are_text(shop: Shop) -> None:
    lines = doctor(shop, "--log-format", "text").stderr.splitlines()
    assert lines
    assert all(" INFO argosy.doctor." in line for line in lines)
