"""How much memory the process of a run had at most, read from the kernel while it runs, and what its imports need."""

from __future__ import annotations

import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from benchmarks.processes import peak

RUN = "prefect.engine"
"""What the command of a run's process has in it; before, it is a copy of its worker."""

_IMPORTS = "import flows.release, prefect.engine, prefect.flow_engine, prefect.task_engine, prefect.task_runners"
_PROJECT = Path(__file__).parents[1]
_PROCESSES = Path("/proc")
_INTERVAL = 0.1


def of_imports() -> float:
    """The memory, in MiB, that a process has which imports what a run's process does, and nothing else."""
    with tempfile.TemporaryDirectory(prefix="argosy-bench-") as folder:
        return peak([sys.executable, "-c", _IMPORTS], _PROJECT, {"PREFECT_HOME": folder})


class Peak:
    """The most resident memory, in MiB, that a child of the process `parent` had whose command holds `mark`."""

    def __init__(self, parent: int, mark: str = RUN) -> None:
        self.mebibytes = 0.0
        self._parent, self._mark = parent, mark

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Look again and again for the length of a `with`; what a process has in its last moments can be missed."""
        ended = threading.Event()
        thread = threading.Thread(target=self._watch, args=(ended,))
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def _watch(self, ended: threading.Event) -> None:
        while not ended.wait(_INTERVAL):
            self.look()

    def look(self) -> None:
        """Ask the kernel once, which remembers the peak of each process for as long as that lives."""
        # Read from the parent alone: to look through all processes would take time from what is measured.
        for threads in (_PROCESSES / str(self._parent) / "task").glob("*/children"):
            with suppress(OSError):  # a thread, or a child, that has ended meanwhile
                for child in threads.read_text().split():
                    self.mebibytes = max(self.mebibytes, self._peak(_PROCESSES / child))

    def _peak(self, process: Path) -> float:
        if self._mark.encode() not in (process / "cmdline").read_bytes():
            return 0.0
        lines = (process / "status").read_text().splitlines()
        return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:")), 0.0)
