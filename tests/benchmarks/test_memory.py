from __future__ import annotations

import os
import subprocess
import sys

from benchmarks.memory import Peak, of_imports

# Says when its peak is over, and then waits to be ended, with far less.
_GREEDY = "import sys; x = b'x' * (int(sys.argv[1]) << 20); del x; print(flush=True); sys.stdin.read()"


def greedy(mebibytes: int, mark: str, peak: Peak) -> None:
    """Let `peak` look once at a process that had as much."""
    command = [sys.executable, "-c", _GREEDY, str(mebibytes), mark]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        peak.look()
        process.communicate()


def test_the_largest_peak_is_seen_though_it_is_over() -> None:
    peak = Peak(os.getpid(), "of-the-test")
    for mebibytes in (20, 80, 20):
        greedy(mebibytes, "of-the-test", peak)
    assert 80 < peak.mebibytes < 120


def test_other_processes_do_not_count() -> None:
    peak = Peak(os.getpid(), "of-the-test")
    greedy(80, "of-another", peak)
    assert peak.mebibytes == 0.0


def test_the_imports_of_a_run_alone_need_more_than_a_bare_process_and_less_than_a_run_may_have() -> None:
    assert 50 < of_imports() < 300
