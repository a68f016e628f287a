"""Which services a difference touches: their filters, looked up by the folders that they are about."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import NamedTuple

from argosy.changes.filters import Filter, takes
from argosy.globs import Quantifier


class Change(NamedTuple):
    """A file that differs: `status` is one of `filters.STATUSES`, `path` is from the repository's root."""

    status: str
    path: str


Test = Callable[[str, str], bool]
_Bucket = list[tuple[str, Test | None]]


class Filters:
    """The filters of services, each asked only about files in folders that it names.

    `quantifier` says how the rules of a filter go together.
    """

    def __init__(self, filters: Mapping[str, Filter], quantifier: Quantifier = "some") -> None:
        self.names = tuple(filters)
        self._buckets: dict[str, _Bucket] = {}
        for name, rules in filters.items():
            for folder, test in _tests(rules, quantifier):
                self._buckets.setdefault(folder, []).append((name, test))

    def changed(self, changes: Iterable[Change]) -> dict[str, bool]:
        """Whether each service has changed."""
        found = dict.fromkeys(self.names, False)
        for (status, path), bucket in self._asked(changes):
            for name, test in bucket:
                if not found[name] and (test is None or test(status, path)):
                    found[name] = True
        return found

    def files(self, changes: Iterable[Change]) -> dict[str, list[Change]]:
        """The files behind each verdict; a service without any has not changed."""
        found: dict[str, dict[Change, None]] = {name: {} for name in self.names}
        for change, bucket in self._asked(changes):
            for name, test in bucket:
                if test is None or test(*change):
                    found[name][change] = None
        return {name: list(files) for name, files in found.items()}

    def _asked(self, changes: Iterable[Change]) -> Iterator[tuple[Change, _Bucket]]:
        """Each change with those to ask about it."""
        last, above = None, list[tuple[str, Test | None]]()
        for change in changes:
            folder = change.path.rpartition("/")[0]
            if folder != last:  # git lists a folder's files one after the other
                last, above = folder, self._above(folder)
            own = self._buckets.get(change.path)
            if own:
                yield change, above + own
            elif above:
                yield change, above

    def _above(self, folder: str) -> _Bucket:
        found = list(self._buckets.get("", ()))
        end = folder.find("/")
        while end >= 0:
            found += self._buckets.get(folder[:end], ())
            end = folder.find("/", end + 1)
        return found + self._buckets.get(folder, []) if folder else found


def _tests(rules: Filter, quantifier: Quantifier) -> Iterator[tuple[str, Test | None]]:
    """What to ask about files in which folder; None where all of them are taken."""
    if quantifier == "some":
        for rule in rules:
            for each in rule.globs:
                certain = rule.statuses is None and each.whole and not each.negated
                single = (type(rule)((each,), rule.statuses),)
                yield each.below, None if certain else partial(_takes, single, quantifier)
        return
    for folder in _folders(rules, quantifier):
        yield folder, partial(_takes, rules, quantifier)


def _takes(rules: Filter, quantifier: Quantifier, status: str, path: str) -> bool:
    return takes(rules, status, path, quantifier)


def _folders(rules: Filter, quantifier: Quantifier) -> Iterable[str]:
    if quantifier == "some-with-excludes":
        return {each.below for rule in rules for each in rule.globs if not each.negated}
    # All rules must take a file: it lies where the one that asks for most lets it.
    every = [{each.below for each in rule.globs} for rule in rules]
    return next((folders for folders in every if "" not in folders), {""}) if rules else ()
