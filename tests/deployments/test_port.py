"""A port that the user asks for, and that somebody else has."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from argosy.errors import ExitCode, WrongUse
from deployments.local.ports import check_free
from deployments.local.prefect_server import PrefectServer
from deployments.local.process import free_port

ROOT = Path(__file__).parents[2]


def test_a_port_that_is_free_is_no_matter() -> None:
    check_free(free_port())


@pytest.mark.parametrize("port", [-1, 65536, 99999999999])
def test_a_number_that_is_no_port_is_wrong_use(port: int) -> None:
    with pytest.raises(WrongUse, match=f"port {port} "):
        check_free(port)


def test_a_stack_on_a_port_that_is_taken_starts_nothing_and_says_what_to_do(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-m", "deployments.local", "up", "--port", str(port)],
            cwd=ROOT, env=os.environ | {"ARGOSY_HOME": str(tmp_path)}, capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == ExitCode.WRONG
    assert f"port {port} of 127.0.0.1 cannot be had: Address already in use" in done.stderr
    assert "ss -ltnp" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_server_never_takes_another_on_its_port_for_itself(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(WrongUse):
        PrefectServer(state=tmp_path, port=other.getsockname()[1]).start()
    assert list(tmp_path.iterdir()) == [tmp_path / "home"]  # made for its environment, and empty
