"""Editing a thousand values files against the budget for it: `python -m benchmarks.editing [--json]`."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence

from argosy.edits import charts
from benchmarks.report import Figure, Ratio, Result, alternate, main

ROUNDS = 5
FILES = 1000
LINES = 130
LIMIT_SECONDS = 3.0
_HOST = "123456789012.dkr.ecr.us-east-1.amazonaws.com"

_ABOUT = (
    f"{FILES} values files of {LINES} lines, no two the same: repository and tag of each are set, and its text is "
    f"parsed again to see that nothing else differs. In one process that has imported what it needs. The budget is "
    f"{LIMIT_SECONDS:.0f} s. Beside it the same with a tag that is not there yet and is added."
)


def measure(tell: Callable[[str], None]) -> Result:
    """Measure how long a thousand values files take to edit."""
    files = [_values(number) for number in range(FILES)]
    blank = [text.replace(b"  tag: 'old'   # set by releases\n", b"") for text in files]
    _seconds(files[:1])  # the first use imports
    subjects: dict[str, Callable[[], float]] = {
        f"{FILES} files edited": lambda: _seconds(files),
        f"{FILES} files edited, the tag added": lambda: _seconds(blank),
    }
    figures = alternate(ROUNDS, subjects, tell)
    budget = Figure(name="the budget", rounds=(LIMIT_SECONDS,))
    return Result(
        benchmark="editing",
        about=_ABOUT,
        figures=(*figures, budget),
        ratios=(Ratio.between(figures[0], budget, 1.0),),
    )


def _seconds(files: Sequence[bytes]) -> float:
    edited = 0
    began = time.perf_counter()
    for number, text in enumerate(files):
        values = {"image.repository": f"{_HOST}/shop/service-{number}", "image.tag": f"a{number:039x}"}
        edited += len(charts.edit(text, values, "values.yaml", create=True)[1])
    seconds = time.perf_counter() - began
    if edited != 2 * len(files):
        raise AssertionError("not every reference was edited")
    return seconds


def _values(number: int) -> bytes:
    """A values file as charts have them: comments, nested mappings, lists, both styles, quotes of both kinds."""
    head = (
        f"# Values of service {number}.\nreplicaCount: 2\nimage:\n  repository: public.ecr.aws/shop/service-{number}\n"
        "  pullPolicy: IfNotPresent\n  tag: 'old'   # set by releases\n\n"
    )
    section = (
        "{name}:\n  enabled: true\n  # -- of the container\n  resources:\n    limits: {{cpu: 100m, memory: 128Mi}}\n"
        "    requests:\n      cpu: \"50m\"\n  env:\n    - name: LEVEL\n      value: 'info'\n\n"
    )
    text = head + "".join(section.format(name=f"section-{each}") for each in range(LINES // section.count("\n")))
    lines = text.splitlines(keepends=True)
    return "".join(lines + ["# the end\n"] * (LINES - len(lines))).encode()


if __name__ == "__main__":
    sys.exit(main(measure))
