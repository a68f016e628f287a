"""The clones that a command reads: the repository itself, and those of charts that lie apart."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from argosy.cli.options import Options, Parser
from argosy.errors import WrongUse

if TYPE_CHECKING:
    from argosy.local import Clone

_OF_BLOCK = re.compile(r"(?:([a-z0-9][a-z0-9-]*)=)?(.+)", re.DOTALL)


def configure(parser: Parser) -> None:
    """Add the option that names clones of charts."""
    what = "a clone of the repository of charts that lie apart; target.repository's BLOCK tells several from each other"
    parser.add_argument("--target-repo", action="append", default=[], metavar="[BLOCK=]PATH", help=what)


def charts(options: Options) -> dict[str | None, Path]:
    """The folders that the option names, by the blocks before them; raises WrongUse for what is no folder."""
    return dict(_named(options.own.target_repo))


def clone(options: Options) -> Clone:
    """The clone that the options name. Raises WrongUse where it is none, or holds no commit."""
    from argosy.local import Clone  # late: not every command that names clones reads their history

    found = Clone(options.repo, options.configuration, asked=options.config is not None, charts=charts(options))
    found.check()
    return found


def _named(words: Iterable[str]) -> Iterable[tuple[str | None, Path]]:
    for word in words:
        match = _OF_BLOCK.fullmatch(word)
        block, path = match.groups() if match else (None, word)
        if not Path(path).is_dir():
            raise WrongUse(f"{path or 'nothing'} is no folder", remedy="name that of a clone with --target-repo")
        yield block, Path(path).resolve()
