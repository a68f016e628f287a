"""The folder of a stack: private, owned, and swept with its processes when the owner crashed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from threading import Thread

from filelock import FileLock

from deployments.local import state_folder
from deployments.local.process import runs

_CRASHING = """
import os, signal, sys
from pathlib import Path
from deployments.local import state_folder
from deployments.local.process import Process
state = state_folder.create(Path(sys.argv[1]))
part = Process("part", [sys.executable, "-c", "import signal; signal.pause()"], state=state, env={})
part.start(lambda: True)
print(state, part.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def crash(home: Path) -> tuple[Path, int]:
    """Start a stack of one part in another process, kill that, and return the folder and the part's id."""
    done = subprocess.run([sys.executable, "-c", _CRASHING, str(home)], capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    folder, pid = done.stdout.split()
    return Path(folder), int(pid)


def test_what_a_crashed_stack_left_is_swept_by_the_next(tmp_path: Path) -> None:
    folder, pid = crash(tmp_path)
    assert folder.exists()
    assert runs(pid)
    state_folder.create(tmp_path)
    assert not folder.exists()
    assert not runs(pid)


def test_a_crashed_stack_is_swept_by_one_of_those_that_start_at_once(tmp_path: Path) -> None:
    crashed, _ = crash(tmp_path)
    starting = Thread(target=state_folder.create, args=(tmp_path,))
    with FileLock(tmp_path / "stacks.lock"):  # as another that sweeps has it
        starting.start()
        starting.join(0.5)
        assert starting.is_alive()
        assert crashed.exists()
    starting.join()
    assert not crashed.exists()


def test_a_living_stack_is_left_alone(tmp_path: Path) -> None:
    mine = state_folder.create(tmp_path)
    other = state_folder.create(tmp_path)
    assert mine.exists()
    assert other != mine


def test_an_id_that_another_process_has_by_now_is_not_ended(tmp_path: Path) -> None:
    folder, pid = crash(tmp_path)
    os.kill(pid, signal.SIGKILL)
    record = folder / "run" / "part.json"
    record.write_text(f'{{"pid": {os.getpid()}, "started": "1"}}')
    assert state_folder.sweep_crashed(tmp_path / "stacks") == [folder.name]


def test_the_folder_is_private(tmp_path: Path) -> None:
    assert state_folder.create(tmp_path).stat().st_mode & 0o777 == 0o700


def test_of_a_stack_that_failed_the_logs_stay_where_they_were_for_a_week(tmp_path: Path) -> None:
    state = state_folder.create(tmp_path)
    logs = ("logs/worker.log", "cache/runs/1/build-ui.log")
    for name in (*logs, "git/shop.git/HEAD", "cache/mirrors/1.git/HEAD", "home/.config"):
        (state / name).parent.mkdir(parents=True, exist_ok=True)
        (state / name).write_text("text\n")
    (state / "home" / "link").symlink_to(tmp_path)
    state_folder.remove(state, keep_logs=True)
    assert {str(file.relative_to(state)) for file in state.rglob("*") if not file.is_dir()} == set(logs)
    state_folder.create(tmp_path)
    assert (state / logs[0]).read_text() == "text\n"
    state_folder.sweep_logs(tmp_path / "stacks", state.stat().st_mtime + 1)
    assert not state.exists()


def test_of_any_other_stack_nothing_stays(tmp_path: Path) -> None:
    state = state_folder.create(tmp_path)
    (state / "logs").mkdir()
    state_folder.remove(state)
    assert not state.exists()
