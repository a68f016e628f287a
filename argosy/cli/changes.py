"""`argosy changes`: which services changed between two commits, by their path filters."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from argosy.changes.filters import Filter
from argosy.changes.touched import Change, Filters
from argosy.cli import change_output as output
from argosy.cli.options import Options, Parser
from argosy.errors import ConfigurationError, ExitCode, WrongUse
from argosy.git import Git
from argosy.globs import QUANTIFIERS

_FILE = "argosy.yaml"
_BASES = """
Without --base the head is compared with where it left the default branch; on that branch, or where it is not known,
with the commit before. The commit of zeros that a forge gives for the first push of a branch stands for the same, and
for nothing on the default branch itself. Where the base is not to be had, every service counts as changed, and the
reason is told. A service's filters are those of argosy.yaml at the head.
"""


def configure(parser: Parser) -> None:
    """Add the command's own options."""
    parser.epilog = _BASES
    what = parser.add_argument_group("what is compared")
    what.add_argument("--base", metavar="REF", help="a full SHA, branch or tag (see below)")
    what.add_argument("--head", metavar="REF", help="the same (HEAD)")
    what.add_argument("--merge-base", action="store_true", help="compare with where the head left the base")
    what.add_argument(
        "--default-branch", metavar="NAME", help="the branch that others leave (that of the remote's HEAD)"
    )
    what.add_argument(
        "--history", metavar="A..B", help="print a line of JSON for each first-parent commit after A up to B"
    )
    what.add_argument(
        "--files-from",
        metavar="FILE",
        help="the changed files, ended by NUL or else by newline, instead of commits; - reads them",
    )
    how = parser.add_argument_group("filters")
    how.add_argument("--filters", type=Path, metavar="FILE", help="a paths-filter document instead of argosy.yaml")
    how.add_argument(
        "--quantifier", choices=QUANTIFIERS, default="some", help="how the patterns of a filter go together (some)"
    )
    shown = parser.add_argument_group("what is told")
    shown.add_argument("--files", action="store_true", help="show the files behind each verdict")
    shown.add_argument(
        "--github-output", action="store_true", help="append services, changes and any to $GITHUB_OUTPUT"
    )
    shown.add_argument("--exit-code", action="store_true", help="end with 3 where no service has changed")


def run(options: Options) -> ExitCode:
    """Show whether each service has changed."""
    own = options.own
    commits = own.base or own.head or own.merge_base or own.default_branch
    if sum(map(bool, (own.history, own.files_from, commits))) > 1:
        raise WrongUse("--history, --files-from and commits exclude each other", remedy="leave all but one of them out")
    if own.history:
        return _history(options)
    verdict = _listed(options) if own.files_from else _compared(options)
    if own.github_output:
        output.to_github(verdict)
    output.show(verdict, as_json=options.json)
    return _ended(options, changed=any(verdict.services.values()))


def _compared(options: Options) -> output.Verdict:
    from argosy.changes.bases import Asked, compare
    from argosy.changes.differences import of_any

    own, git = options.own, Git(options.repo)
    asked = Asked(own.base or None, own.head or "HEAD", own.merge_base, own.default_branch)
    found = compare(git, asked, _FILE)
    filters = Filters(_filters(options, found.configuration), own.quantifier)
    changes = of_any(git, found.against, found.head) if found.against else None
    return _judged(filters, changes, options, (found.base, found.head), found.reason)


def _listed(options: Options) -> output.Verdict:
    from argosy.changes.file_lists import read

    filters = Filters(_filters(options, None), options.own.quantifier)
    return _judged(filters, read(options.own.files_from), options, (None, None), None)


def _history(options: Options) -> ExitCode:
    from argosy.changes.history import History

    if options.own.github_output:
        raise WrongUse("--history has no one answer for --github-output", remedy="leave one of the two out")
    history = History(Git(options.repo), options.own.history, _FILE)
    filters = Filters(_filters(options, history.configuration), options.own.quantifier)
    changed = False
    for past in history.walk():
        verdict = _judged(filters, past.changes, options, (past.base, past.head), past.reason)
        output.line(verdict)
        changed = changed or any(verdict.services.values())
    return _ended(options, changed=changed)


def _judged(
    filters: Filters, changes: tuple[Change, ...] | list[Change] | None, options: Options,
    commits: tuple[str | None, str | None], reason: str | None,
) -> output.Verdict:  # fmt: skip
    """The verdict about `changes`; where those are not known, every service has changed."""
    if changes is None:
        known = dict.fromkeys(filters.names, True)
        return output.Verdict(*commits, known, {name: [] for name in known} if options.own.files else None, reason)
    if not options.own.files:
        return output.Verdict(*commits, filters.changed(changes), None, reason)
    files = filters.files(changes)
    return output.Verdict(*commits, {name: bool(found) for name, found in files.items()}, files, reason)


def _filters(options: Options, configuration: bytes | None) -> Mapping[str, Filter]:
    """The filters: of --filters, of --config, of `configuration`, or else of the file in the folder."""
    if options.own.filters:
        from argosy.changes.filters import read

        return read(_content(options.own.filters), str(options.own.filters))
    from argosy.changes import service_filters

    if configuration is not None and options.config is None:
        return service_filters.read(configuration, _FILE)
    return service_filters.read(_content(options.configuration), options.configuration.name)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        remedy = f"write it, or name another with {'--config' if path.name == _FILE else '--filters'}"
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}", remedy=remedy) from error


def _ended(options: Options, *, changed: bool) -> ExitCode:
    return ExitCode.DONE if changed or not options.own.exit_code else ExitCode.NOTHING_TO_DO
