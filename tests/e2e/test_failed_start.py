"""A stack that does not start: what is left of it, and what is said."""

from __future__ import annotations

import io
import socket

import pytest
from rich.console import Console

from argosy.errors import WrongUse
from deployments.local import state_folder
from deployments.local.stack import Stack
from deployments.local.up import running


def test_only_its_logs_stay_and_it_is_said_where() -> None:
    said = io.StringIO()
    with socket.create_server(("127.0.0.1", 0)) as other:
        stack = Stack(port=other.getsockname()[1])
        with pytest.raises(WrongUse, match="cannot be had"), running(stack, Console(file=said)):
            pass
    try:
        _assert_only_logs(stack)
    finally:
        state_folder.remove(stack.state)
    assert f"The logs stay in {stack.state / 'logs'}" in said.getvalue()


def _assert_only_logs(stack: Stack) -> None:
    kept = {file.relative_to(stack.state).parts[0] for file in stack.state.rglob("*")}
    assert kept == {"logs"}
    assert (stack.state / "logs" / "git.log").is_file()
