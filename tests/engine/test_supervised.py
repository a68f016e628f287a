"""Commands that are watched: their input, their output, their end."""

import os
import selectors
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import pytest

from argosy.processes import supervised
from argosy.processes.supervised import TimedOut
from argosy.redact import remember
from deployments.local.signing import SigningKey
from tests import processes


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., int]:
    def run(script: str, write: Callable[[BinaryIO], None], lines: list[str], timeout: float = 20) -> int:
        return supervised.run(
            ["sh", "-c", script], environment={"PATH": os.environ["PATH"], "MARKER": str(tmp_path)},
            write=write, on_line=lines.append, log=tmp_path / "log", timeout=timeout,
        )  # fmt: skip

    return run


def nothing(stream: BinaryIO) -> None:
    """Write no input."""


def left(tmp_path: Path) -> list[Path]:
    """The processes that were started with the marker of `tmp_path`."""
    marker = f"MARKER={tmp_path}\0".encode()
    return [folder for folder, environment in processes.shown("environ") if marker in environment]


def test_input_and_output_pass_whole(run: Callable[..., int], tmp_path: Path) -> None:
    lines: list[str] = []
    assert run("cat; printf 'no newline'; exit 3", lambda stream: print_to(stream, b"a\r\n\xff\n"), lines) == 3
    assert lines == ["a", "\N{REPLACEMENT CHARACTER}", "no newline"]
    assert (tmp_path / "log").read_bytes() == b"a\r\n\xff\nno newline\n"


def print_to(stream: BinaryIO, data: bytes) -> None:
    stream.write(data)


def test_half_an_input_never_looks_like_a_whole_one(
    run: Callable[..., int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervised, "_GRACE", 0.5)

    def half(stream: BinaryIO) -> None:
        stream.write(b"half\n" * 100_000)
        raise ValueError("the other half is missing")

    lines: list[str] = []
    with pytest.raises(ValueError, match="the other half"):
        run("trap '' TERM; cat >/dev/null; echo whole; echo whole >whole", half, lines)
    assert not (tmp_path / "whole").exists()
    assert left(tmp_path) == []


def test_another_broken_pipe_than_the_commands_is_an_error(run: Callable[..., int]) -> None:
    def broken(stream: BinaryIO) -> None:
        raise BrokenPipeError("git cat-file ended")

    with pytest.raises(BrokenPipeError, match="cat-file"):
        run("cat", broken, [])


def test_a_command_that_reads_nothing_has_its_own_status(run: Callable[..., int]) -> None:
    lines: list[str] = []
    assert run("echo why; exit 4", lambda stream: print_to(stream, bytes(1 << 22)), lines) == 4
    assert lines == ["why"]


def test_a_group_that_ignores_the_request_is_ended(
    run: Callable[..., int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervised, "_GRACE", 0.3)
    with pytest.raises(TimedOut):
        run("trap '' TERM; sleep 300 & sleep 300", nothing, [], timeout=0.3)
    assert left(tmp_path) == []


def test_a_command_may_end_orderly_when_asked(run: Callable[..., int], tmp_path: Path) -> None:
    started = time.monotonic()
    lines: list[str] = []

    def interrupt(stream: BinaryIO) -> None:
        while not lines:
            time.sleep(0.01)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run("trap 'echo bye >bye; exit' TERM; echo ready; sleep 300 & wait", interrupt, lines)
    assert (tmp_path / "bye").exists()
    assert time.monotonic() - started < supervised._GRACE
    assert left(tmp_path) == []


def test_what_a_command_leaves_behind_neither_holds_it_up_nor_stays(run: Callable[..., int], tmp_path: Path) -> None:
    lines: list[str] = []
    assert run("sleep 300 & echo done", nothing, lines) == 0
    assert lines == ["done"]
    assert left(tmp_path) == []


def test_what_a_command_prints_last_is_read_however_late_its_end_is_seen(
    run: Callable[..., int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Late(selectors.DefaultSelector):
        """One that looks once, sees nothing, and is kept from going on until the command has ended."""

        looked = False

        def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
            if self.looked:
                return super().select(timeout)
            self.looked = True
            (tmp_path / "go").touch()
            os.waitid(os.P_PID, soon_read(tmp_path / "pid"), os.WEXITED | os.WNOWAIT)
            return []

    monkeypatch.setattr(selectors, "DefaultSelector", Late)
    lines: list[str] = []
    script = "echo $$ >pid.new; mv pid.new pid; until test -e go; do sleep 0.01; done; sleep 300 & echo last"
    assert run(script, nothing, lines) == 0
    assert lines == ["last"]


def soon_read(file: Path) -> int:
    """The number in `file`, once it is there."""
    while not file.exists():
        time.sleep(0.01)
    return int(file.read_text())


def test_neither_the_log_nor_the_lines_hold_a_secret_that_the_command_prints(
    run: Callable[..., int], tmp_path: Path
) -> None:
    secret, key, lines = f"s3cret-{tmp_path.name}", SigningKey.generate().private.get_secret_value(), list[str]()
    remember(secret)
    script = f"printf '%s' before-{secret[:9]}; sleep 0.2; echo {secret[9:]}-after; cat"
    assert run(script, lambda stream: print_to(stream, key.encode()), lines) == 0
    log = (tmp_path / "log").read_text()
    assert lines[0] == "before-***-after"
    assert log.splitlines() == lines
    assert not [line for line in key.splitlines()[1:-1] if line in log]


def test_a_line_that_was_never_ended_is_on_record_and_clean(run: Callable[..., int], tmp_path: Path) -> None:
    secret = f"s3cret-{tmp_path.name}"
    remember(secret)
    with pytest.raises(TimedOut):
        run(f"printf 'Password {secret}? '; exec sleep 60", nothing, [], timeout=0.5)
    assert (tmp_path / "log").read_text() == "Password ***? "
