"""Whole processes, measured: how long each takes, and how much memory it has at most."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from argosy.errors import Terminal

# A process begins with the peak of the one that it was forked from: this one is small.
_LAUNCHER = (
    "import resource, subprocess, sys\n"
    "done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL)\n"
    "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\n"
    "sys.exit(done.returncode)\n"
)


@dataclass(frozen=True, slots=True)
class Ran:
    """A process that ended well: how many seconds it took, and what it wrote."""

    seconds: float
    output: bytes


def run(command: Sequence[str], folder: Path, variables: Mapping[str, str] | None = None) -> Ran:
    """Run `command` in `folder` to its end. Raises Terminal where it does not end well."""
    with tempfile.TemporaryFile() as output:
        started = time.perf_counter()
        done = subprocess.run(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, env=os.environ | dict(variables or {}),
            check=False,
        )  # fmt: skip
        seconds = time.perf_counter() - started
        if done.returncode:
            raise Terminal(f"{Path(command[0]).name} ended with {done.returncode}", remedy="see what it wrote above")
        output.seek(0)
        return Ran(seconds, output.read())


def peak(command: Sequence[str], folder: Path, variables: Mapping[str, str] | None = None) -> float:
    """The memory, in MiB, that `command` or any process that it starts has at most. Raises Terminal as `run` does."""
    ran = run([sys.executable, "-I", "-S", "-c", _LAUNCHER, *command], folder, variables)
    return int(ran.output) / 1024
