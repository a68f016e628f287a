"""Every benchmark, each in a process of its own: `python -m benchmarks [--json]`."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text

from benchmarks.report import Result, show, verdicts

BENCHMARKS = ("changes", "configuration", "editing", "plan", "release", "writeback")


@dataclass(frozen=True, slots=True)
class Ended:
    """How the process of a benchmark ended; `result` is None where it broke before it had one."""

    benchmark: str
    status: int
    result: Result | None

    @property
    def passed(self) -> bool:
        """Whether it found what it should."""
        return self.status == 0 and self.result is not None and self.result.passed

    def document(self) -> dict[str, object]:
        """What `--json` prints of it."""
        if self.result:
            return self.result.model_dump(mode="json")
        return {"benchmark": self.benchmark, "error": f"it ended with status {self.status}", "passed": False}


def run(benchmark: str, module: str) -> Ended:
    """Run a benchmark's module to its end; its progress goes to standard error."""
    done = subprocess.run([sys.executable, "-m", module, "--json"], stdout=subprocess.PIPE, check=False)
    result = Result.model_validate_json(done.stdout) if done.stdout.strip() else None
    return Ended(benchmark, done.returncode, result)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run all of them and print what they found; 0 when every one passed, else 1."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Run every benchmark.")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    chosen = parser.parse_args(arguments)
    ended = [run(name, f"benchmarks.{name}") for name in BENCHMARKS]
    passed = all(each.passed for each in ended)
    if chosen.json:
        print(json.dumps({"benchmarks": [each.document() for each in ended], "passed": passed}))
    else:
        _print(Console(), ended)
    return 0 if passed else 1


def _print(console: Console, ended: Sequence[Ended]) -> None:
    for each in ended:
        console.print(show(each.result) if each.result else Text(f"{each.benchmark} broke", style="red"))
    console.print(verdicts([each.result for each in ended if each.result]))


if __name__ == "__main__":
    sys.exit(main())
