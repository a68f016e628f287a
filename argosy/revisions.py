"""From what people call a commit to the commit: full SHAs, branches, tags, and steps back from those."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from argosy.errors import WrongUse
from argosy.git import Git, GitError

SHA = re.compile(r"[0-9a-f]{40}")  # as in argosy.models, which takes longer to load than git takes to answer
_STEPS = r"(?:[~^][0-9]*|\^\{(?:commit)?\})*"
_NAME = re.compile(rf"(?!-)(?P<name>[^\s~^:?*\[\\\x00-\x20\x7f]+)(?P<steps>{_STEPS})")
_FORBIDDEN = ("..", "@{", "//")
_ABBREVIATED = re.compile(r"[0-9a-f]{4,39}")


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit at hand: its full SHA, and the SHAs of its parents, which need not be at hand."""

    sha: str
    parents: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Name:
    """What somebody called a commit, and the names that git may know it by, the first of which counts.

    With `steps` it is reached by going back from what is named, as in `main~2`.
    """

    text: str
    candidates: tuple[str, ...]
    steps: bool = False

    @property
    def sha(self) -> str | None:
        """The full SHA, where that is what the name is."""
        return self.text if SHA.fullmatch(self.text) else None


def named(text: str) -> Name:
    """The names to look for a commit under. Raises WrongUse for what can be none.

    A branch goes before a tag of the same name, and a local branch before the remote's; `refs/tags/…` names the tag.
    """
    lowered = text.lower()
    if SHA.fullmatch(lowered):
        return Name(lowered, (lowered,))
    found = _NAME.fullmatch(text)
    if not found or any(each in text for each in _FORBIDDEN):
        raise WrongUse(f"{text!r} is no name of a commit", remedy="give a full SHA, a branch or a tag")
    name, steps = found["name"], found["steps"]
    if SHA.fullmatch(name) or name.startswith("refs/") or name in {"HEAD", "@"}:
        return Name(text, (text,), bool(steps))
    folders = ("heads/", "remotes/origin/", "remotes/", "tags/")
    return Name(text, tuple(f"refs/{folder}{name}{steps}" for folder in folders), bool(steps))


def unknown(name: Name) -> WrongUse:
    """What to raise for a name that no commit at hand has, nor the remote's."""
    if _ABBREVIATED.fullmatch(name.text):
        remedy = "give all 40 hex digits: an abbreviation may name another commit tomorrow"
    else:
        remedy = "see its spelling, and that git fetch brings it here"
    return WrongUse(f"{name.text!r} is no commit, branch or tag that is here", remedy=remedy)


class Found:
    """What git has of several names, and of the file `file` at each of the last one's candidates, asked at once."""

    def __init__(self, git: Git, names: Sequence[Name], file: str | None = None) -> None:
        wanted = [f"{candidate}^{{commit}}" for name in names for candidate in name.candidates]
        files = [f"{candidate}:{file}" for candidate in names[-1].candidates] if file else []
        asked = "".join(f"{each}\n" for each in (*wanted, *files)).encode(errors="surrogateescape")
        answers = iter(_answers(_told(git, asked)))
        told = [[next(answers) for _ in name.candidates] for name in names]
        self.commits = tuple(next((_commit(*each) for each in some if each), None) for some in told)
        self._contents = list(answers)
        self._first = next((number for number, each in enumerate(told[-1]) if each), None)

    @property
    def content(self) -> bytes | None:
        """What the file holds at the last name's commit; None where it is not there."""
        answer = self._contents[self._first] if self._contents and self._first is not None else None
        return answer[1] if answer else None


def commit(git: Git, name: Name) -> Commit | None:
    """The commit called `name`; None where it is not at hand."""
    return Found(git, [name]).commits[0]


def _told(git: Git, asked: bytes) -> bytes:
    try:
        return git.run("cat-file", "--batch", data=asked)
    except GitError as error:
        if "not a git repository" not in error.stderr:
            raise
        remedy = "name the folder of one with --repo"
        raise WrongUse(f"{git.directory} is no git repository", remedy=remedy) from error


def _answers(output: bytes) -> list[tuple[str, bytes] | None]:
    """Each object's id and content, or None for one that is not there."""
    found: list[tuple[str, bytes] | None] = []
    at = 0
    while at < len(output):
        end = output.index(b"\n", at)
        words = output[at:end].split(b" ")
        at = end + 1
        if len(words) == 3 and words[1] in {b"commit", b"blob", b"tree", b"tag"} and words[2].isdigit():
            size = int(words[2])
            found.append((words[0].decode(), output[at : at + size]))
            at += size + 1
        else:
            found.append(None)
    return found


def _commit(sha: str, content: bytes) -> Commit:
    head = content.partition(b"\n\n")[0].decode(errors="replace")
    return Commit(sha, tuple(line[7:] for line in head.splitlines() if line.startswith("parent ")))
