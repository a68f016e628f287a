"""What a command shows: tables and colours for people where there is a terminal, one JSON object for programs."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from argosy.errors import ArgosyError

if TYPE_CHECKING:  # most commands end well, and some show no colour
    from rich.console import Console


def failed(error: ArgosyError, *, as_json: bool) -> None:
    """Say on standard error what went wrong and what to do, or under `--json` as an object on standard output."""
    if as_json:
        answer({"error": document(error)})
        return
    # Imported late: most commands end well, and some show no colour.
    from rich.console import Console
    from rich.text import Text

    from argosy.redact import redact

    console = Console(stderr=True, highlight=False, soft_wrap=True)
    subject = f"{error.service}: " if error.service else ""
    console.print(Text("argosy: ", "bold red"), Text(subject, "bold"), Text(redact(error.message)), sep="")
    if error.remedy:
        console.print(Text("  do: ", "green"), Text(redact(error.remedy)), sep="")


def document(error: ArgosyError) -> dict[str, Any]:
    """An error as programs read it; `code` is the exit status that it ends in."""
    from argosy.redact import redact  # late, as above

    return {
        "code": int(error.exit_code),
        "message": redact(error.message),
        "service": error.service,
        "remedy": redact(error.remedy) if error.remedy else None,
    }


def console() -> Console:
    """Where tables for people are printed; piped into a file there is no width to keep to, and no line is folded."""
    from rich.console import Console

    page = Console(highlight=False)
    return page if page.is_terminal else Console(highlight=False, width=200)


def answer(value: Any) -> None:
    """Write `value` as the one JSON object on standard output."""
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()
