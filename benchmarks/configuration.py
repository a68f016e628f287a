"""Reading a thousand services against the budget for it: `python -m benchmarks.configuration [--json]`."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from argosy.settings.text import read
from benchmarks.report import Figure, Ratio, Result, alternate, main

ROUNDS = 7
SERVICES = 1000
LIMIT_SECONDS = 0.3
ENVIRONMENTS = ("dev", "staging", "prod")

_ABOUT = (
    f"argosy.yaml with {SERVICES} services, each with a build argument and a stage of its own, and "
    f"{len(ENVIRONMENTS)} environments: from its bytes to one environment resolved, in a process that has imported "
    f"what it needs. The budget is {LIMIT_SECONDS} s."
)


def measure(tell: Callable[[str], None]) -> Result:
    """Measure how long a configuration of a thousand services takes to read."""
    text = _text(SERVICES)
    _seconds(text)  # the first use imports
    # A text of its own each round: one that was read before is remembered.
    texts = iter([text + b"# round %d\n" % number for number in range(ROUNDS)])
    (figure,) = alternate(ROUNDS, {f"{SERVICES} services": lambda: _seconds(next(texts))}, tell)
    budget = Figure(name="the budget", rounds=(LIMIT_SECONDS,))
    return Result(
        benchmark="configuration",
        about=_ABOUT,
        figures=(figure, budget),
        ratios=(Ratio.between(figure, budget, 1.0),),
    )


def _seconds(text: bytes) -> float:
    began = time.perf_counter()
    environment = read(text, ENVIRONMENTS[-1])
    seconds = time.perf_counter() - began
    if len(environment.services) != SERVICES:
        raise AssertionError("not every service was read")
    return seconds


def _text(services: int) -> bytes:
    rows = "".join(f"  service-{number:04}: {{build: {{args: {{A: b}}, target: run}}}}\n" for number in range(services))
    places = "".join(
        f"  {name}: {{source: {{branch: main}}, target: {{branch: main, values: values-{name}.yaml}}}}\n"
        for name in ENVIRONMENTS
    )
    return (
        f'version: 1\nregistry: {{type: oci, endpoint: "registry.example", repository: "shop-{{service}}"}}\n'
        f'services:\n{rows}argocd: {{application: "shop-{{service}}"}}\nenvironments:\n{places}'
    ).encode()


if __name__ == "__main__":
    sys.exit(main(measure))
