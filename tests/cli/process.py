"""The command line as a process of its own."""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).parents[2]
Done = subprocess.CompletedProcess[str]

_SECONDS = 120
# What the commands import. That a command loads only what it needs is seen by others, in processes from the start.
_LOADED = ["__main__", "argosy.cli", "argosy.cli.plan", "argosy.cli.status", "argosy.cli.edit", "argosy.cli.init",
           "argosy.cli.changes", "argosy.cli.release", "argosy.doctor", "tests.cli.process"]  # fmt: skip


def argosy(*words: str, cwd: Path = ROOT, **more: str) -> Done:
    """What `argosy WORDS` came to, run in `cwd` with nothing of the caller's environment but where programs are."""
    env = {"PATH": os.environ["PATH"], "HOME": str(cwd), "PYTHONPATH": str(ROOT), "AWS_EC2_METADATA_DISABLED": "1"}
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        code = _run(words, cwd, env | more, output, errors)
        return subprocess.CompletedProcess(["argosy", *words], code, _text(output), _text(errors))


def spoken(done: Done) -> Any:
    """The one JSON object on standard output."""
    return json.loads(done.stdout)


def _run(words: Sequence[str], cwd: Path, env: Mapping[str, str], output: IO[str], errors: IO[str]) -> int:
    """Run it in a copy of a process that has everything loaded: to load it anew takes most of a command's time."""
    files = tuple(multiprocessing.reduction.DupFd(file.fileno()) for file in (output, errors))
    process = _server().Process(target=_command, args=(words, str(cwd), dict(env), files))
    process.start()
    process.join(_SECONDS)
    if process.exitcode is None:
        process.kill()
        process.join()
    assert process.exitcode is not None
    return process.exitcode


@cache
def _server() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_LOADED)
    return context


def _command(words: Sequence[str], cwd: str, env: Mapping[str, str], files: Sequence[Any]) -> None:
    from argosy.cli import main

    for number, file in enumerate(files, start=1):
        os.dup2(file.detach(), number)
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    code = main(words)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _text(file: IO[str]) -> str:
    file.seek(0)
    return file.read()
