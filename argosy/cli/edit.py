"""`argosy edit`: scalars of YAML files set from the shell, every other character left as it is."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from argosy.cli.options import Options, Parser
from argosy.cli.screen import answer
from argosy.errors import ExitCode, WrongUse
from argosy.printable import printable

if TYPE_CHECKING:
    from argosy.edits.file_edits import Edited

_PATHS = r"""
A path is image.tag, list[0].image, containers[name=ui].image; \ before a `.`, `[` or `=` makes it part of a key. Values
are strings: what would read as a number or a truth value gets quotes. All files are written, or none. docs/edits.md
"""


def configure(parser: Parser) -> None:
    """Add the command's own options."""
    parser.epilog = _PATHS
    parser.add_argument("--file", action=_File, metavar="FILE", help="a YAML file; what follows is of it")
    parser.add_argument("--set", action=_Set, metavar="PATH=VALUE", help="set this in it; may be repeated")
    parser.add_argument("--document", action=_Nth, metavar="N", help="in its Nth document (the one that has the path)")
    parser.add_argument("--create", action="store_true", help="add keys that are missing, beside their siblings")
    parser.add_argument("--check", action="store_true", help="write nothing, and print the difference")
    parser.add_argument("--exit-code", action="store_true", help="end in 3 where nothing changes")


def run(options: Options) -> ExitCode:
    """Make the edits, or show them; nothing is written where one of them cannot be made."""
    # Imported late: who asks for help waits for nothing.
    from argosy.edits import file_edits

    own = options.own
    requests = [file_edits.Request(each.file, each.values, each.document) for each in _asked(own.groups)]
    files = file_edits.edited(requests, options.repo, create=own.create)
    if not own.check:
        file_edits.write(files)
    _tell(files, options)
    changed = any(each.changes for each in files)
    return ExitCode.DONE if changed or not own.exit_code else ExitCode.NOTHING_TO_DO


@dataclass(slots=True)
class _Group:
    """A file and what is said behind it."""

    file: Path
    values: dict[str, str] = field(default_factory=dict)
    document: int | None = None


class _Grouped(argparse.Action):
    def __init__(self, option_strings: Sequence[str], **more: Any) -> None:
        super().__init__(option_strings, **(more | {"dest": "groups", "default": []}))

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        """Take the option in behind the last file."""
        groups: list[_Group] = list(namespace.groups)
        self.take(groups, str(values))
        namespace.groups = groups

    def take(self, groups: list[_Group], value: str) -> None:
        """Change `groups` by what the option says."""
        raise NotImplementedError

    def last(self, groups: list[_Group]) -> _Group:
        """The group that is open; raises WrongUse where there is none."""
        if not groups:
            raise WrongUse(f"{self.option_strings[0]} is of no file", remedy="say --file FILE before it")
        return groups[-1]


class _File(_Grouped):
    def take(self, groups: list[_Group], value: str) -> None:
        """Open a group."""
        groups.append(_Group(Path(value)))


class _Set(_Grouped):
    def take(self, groups: list[_Group], value: str) -> None:
        """Add a value to the last file's."""
        from argosy.edits.paths import assignment

        path, text = assignment(value)
        values = self.last(groups).values
        if values.setdefault(path, text) != text:
            raise WrongUse(f"{path} is set twice", remedy="leave one of the two out")


class _Nth(_Grouped):
    def take(self, groups: list[_Group], value: str) -> None:
        """Say which document of the last file is meant."""
        group = self.last(groups)
        if not value.isdecimal() or not int(value) or group.document:
            raise WrongUse(f"--document {value} is none", remedy="give each file one number, counted from 1")
        group.document = int(value)


def _asked(groups: list[_Group]) -> list[_Group]:
    if not groups:
        raise WrongUse("no file is named", remedy="say --file FILE --set PATH=VALUE")
    for each in groups:
        if not each.values:
            raise WrongUse(f"nothing is set in {each.file}", remedy="say --set PATH=VALUE behind --file")
    return groups


def _tell(files: Sequence[Edited], options: Options) -> None:
    check = options.own.check
    changes = [change for each in files for change in each.changes]
    if options.json:
        answer({
            "changed": bool(changes),
            "written": [] if check else [each.name for each in files if each.changes],
            "changes": [asdict(change) for change in changes],
            "diff": "".join(each.difference for each in files),
        })  # fmt: skip
    elif check:
        _show("".join(each.difference for each in files))
    else:
        lines = (f"{each.file}: {each.path}: {each.old or '(nothing)'} -> {each.new}" for each in changes)
        sys.stdout.writelines(f"{printable(line)}\n" for line in lines)


def _show(difference: str) -> None:
    # What others wrote reaches no terminal as it is, and a program in its very bytes, so that git can apply it.
    if sys.stdout.isatty():
        sys.stdout.write(printable(difference, keep="\n\t"))
    else:
        sys.stdout.flush()
        sys.stdout.buffer.write(difference.encode())
        sys.stdout.buffer.flush()
