"""What a pull request says: the title, and a body with a table for people and the trailers for the next run. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from argosy.trailers import SKIP

_CHANGE = re.compile(r"(\S+): (\S.*) -> (\S+)")
_HEAD = "| service | from | to |\n| --- | --- | --- |"
_ROLLING = (
    "Argosy keeps this pull request up to date: it rewrites the branch, upon the target's present head, when there is "
    "something newer to write, unless somebody else has committed to it. Close it, and what it says stays unwritten "
    "until there is newer content."
)
WITHDRAWN = "Argosy closed this pull request: nothing is left to write that it says."
"""What stands in the body of one that Argosy closed itself, so that it is not taken for somebody's no."""


@dataclass(frozen=True, slots=True)
class Text:
    """A title and a body, in GitHub's Markdown."""

    title: str
    body: str


def commit_message(message: str) -> str:
    """The same message for a commit that is to be checked before it is merged: no word in it that skips that."""
    subject, line, rest = message.partition("\n")
    return f"{subject.removesuffix(SKIP)}{line}{rest}"


def described(message: str) -> Text:
    """What the pull request of a commit with that message says."""
    title, *paragraphs = commit_message(message).strip().split("\n\n")
    # Merged by squash its text may become the commit's message: the trailers stand alone, and last.
    *words, trailers = paragraphs
    return Text(title, "\n\n".join([*map(_shown, words), _ROLLING, trailers]))


def _shown(paragraph: str) -> str:
    rows = [_CHANGE.fullmatch(line) for line in paragraph.splitlines()]
    if not all(rows):
        return "\n".join(f"> {_escaped(line)}" for line in paragraph.splitlines())
    cells = (row.groups() for row in rows if row)
    return "\n".join([_HEAD, *(f"| {name} | `{_cell(old)}` | `{_cell(new)}` |" for name, old, new in cells)])


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("`", "'")


def _escaped(text: str) -> str:
    """Somebody's own words as they are: they mention nobody, and draw no picture."""
    return re.sub(r"([\\`*_{}\[\]<>#@!|])", r"\\\1", text)


def withdrawn(body: str) -> str:
    """The body of one that Argosy closes."""
    return body if WITHDRAWN in body else f"{WITHDRAWN}\n\n{body}"
