"""The command line as a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
Done = subprocess.CompletedProcess[str]


def argosy(*words: str, cwd: Path = ROOT, **more: str) -> Done:
    """What `argosy WORDS` came to, run in `cwd` with nothing of the caller's environment but where programs are."""
    env = {"PATH": os.environ["PATH"], "HOME": str(cwd), "PYTHONPATH": str(ROOT), "AWS_EC2_METADATA_DISABLED": "1"}
    command = [sys.executable, "-m", "argosy", *words]
    return subprocess.run(command, cwd=cwd, env=env | more, capture_output=True, text=True, check=False)


def spoken(done: Done) -> Any:
    """The one JSON object on standard output."""
    return json.loads(done.stdout)
