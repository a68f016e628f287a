"""The stack by hand: started, described, and kept until somebody has enough of it."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.table import Table

from deployments.local.borrowed import borrowed
from deployments.local.ports import check_free
from deployments.local.seed import EXAMPLE
from deployments.local.stack import Stack


def keep_up(source: Path | None, port: int | None = None) -> int:
    """Start a stack on `source` (the example unless given) and keep it until interrupted; return 0.

    The dashboard is on `port`, else on one that is free. Raises WrongUse where it is taken, before anything starts.
    """
    if port is not None:
        check_free(port)
    console = Console()
    with ExitStack() as held:
        files = held.enter_context(borrowed(source)) if source else EXAMPLE
        stack = held.enter_context(running(Stack(files, tell=partial(_tell, console), port=port), console))
        stay(stack, console)
    return 0


@contextmanager
def running(stack: Stack, console: Console) -> Iterator[Stack]:
    """`stack`, started, for the length of a `with`; where that ends with an error, say where its logs stay."""
    try:
        with ExitStack() as held:
            with console.status("starting the embedded stack"):
                stack.start()
            held.push(stack)
            yield stack
    except Exception:
        if (logs := stack.state / "logs").is_dir():
            console.print(f"\nThe logs stay in {logs}", soft_wrap=True, highlight=False)
        raise


def stay(stack: Stack, console: Console) -> None:
    """Say where everything is, and return when somebody has had enough of it."""
    console.print(addresses(stack))
    _wait_for_interrupt(console)


def _tell(console: Console, name: str, seconds: float) -> None:
    console.print(f"  {name} ({seconds:.1f} s)")


def addresses(stack: Stack) -> Table:
    """Where everything of the stack is found."""
    table = Table(title="The embedded stack", title_justify="left", show_header=False)
    rows = {
        "dashboard": stack.prefect.ui_url,
        "PREFECT_API_URL": stack.prefect.api_url,
        "DOCKER_HOST": stack.engine.docker_host,
        "registry": stack.registry_host,
        "AWS endpoint": stack.aws.endpoint_url,
        "git repository": stack.developer.url,
        "a developer's work tree": str(stack.developer.path),
        "Argo CD": stack.argocd.url,
        "logs": str(stack.state / "logs"),
    }
    for name, value in rows.items():
        table.add_row(name, value)
    return table


def _wait_for_interrupt(console: Console) -> None:
    """Return when the user presses Ctrl-C or sends SIGTERM."""
    console.print("Ctrl-C stops everything.")
    try:
        signal.pause()
    except KeyboardInterrupt:
        console.print("stopping")
