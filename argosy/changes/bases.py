"""What a commit is compared with: from how somebody put it to full SHAs, or to the reason why nobody can tell."""

from __future__ import annotations

import re
from dataclasses import dataclass

from argosy.changes import fetches
from argosy.changes.differences import NOTHING
from argosy.errors import WrongUse
from argosy.git import Git, GitError
from argosy.revisions import Commit, Found, Name, commit, named, unknown

ZERO = "0" * 40
"""What forges give as the commit before the first push of a branch; here also: nothing is compared with."""

_QUEUE = re.compile(r"(?:refs/heads/)?gh-readonly-queue/(?P<branch>.+)/pr-[0-9]+-(?P<sha>[0-9a-f]{40})")


@dataclass(frozen=True, slots=True)
class Asked:
    """A comparison as it was asked for; without `base` it is with what `head` was made from."""

    base: str | None = None
    head: str = "HEAD"
    merge_base: bool = False
    default_branch: str | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two commits: a file that differs between `head` and any of `against` has changed.

    `base` is the first of those, ZERO where everything counts as added, or what was asked for where that is not to be
    had: then `against` is empty, and everything has to count as changed. `reason` says why it is not plainly what was
    asked for. `configuration` is the head's `argosy.yaml`, where it has one.
    """

    base: str
    head: str
    against: tuple[str, ...]
    reason: str | None = None
    configuration: bytes | None = None


def compare(git: Git, asked: Asked, file: str | None = None) -> Comparison:
    """Settle `asked`, and read `file` at its head.

    A commit that is not at hand is fetched once, and no more than is needed. Raises WrongUse for names that nobody
    knows, and for a head that is not to be had.
    """
    return _Question(git, asked, file).answer()


class _Question:
    """One comparison while it is being settled."""

    def __init__(self, git: Git, asked: Asked, file: str | None) -> None:
        self._git = git
        self._asked = asked
        self._base = None if asked.base in {None, ZERO} else named(asked.base or "")
        name = named(asked.head)
        names = [self._base, name] if self._base else [name]
        found = Found(git, names, file)
        head = found.commits[-1]
        if head is None:
            head, found = self._fetched_head(name, file)
        self._head, self._configuration = head, found.content
        self._known = found.commits[0] if self._base and len(found.commits) > 1 else None

    def _fetched_head(self, name: Name, file: str | None) -> tuple[Commit, Found]:
        if fetches.commit(self._git, name):
            found = Found(self._git, [name], file)
            if found.commits[0]:
                return found.commits[0], found
        if name.text == "HEAD":
            raise WrongUse("there is no commit here yet", remedy="commit something, or name the commit with --head")
        raise unknown(name)

    def answer(self) -> Comparison:
        if self._asked.base == ZERO:
            return self._first_push()
        if self._base is None:
            return self._usual()
        base = self._known or self._fetched(self._base)
        if base is None:
            return self._untold(self._base.text, f"{self._base.text} is not here, and could not be fetched")
        return self._merge_base(base.sha) if self._asked.merge_base else self._plain(base.sha)

    def _plain(self, base: str, reason: str | None = None) -> Comparison:
        return Comparison(base, self._head.sha, (base,), reason, self._configuration)

    def _everything(self, reason: str) -> Comparison:
        return Comparison(
            ZERO, self._head.sha, (NOTHING,), f"{reason}: everything counts as added", self._configuration
        )

    def _untold(self, base: str, reason: str) -> Comparison:
        return Comparison(base, self._head.sha, (), f"{reason}: every service counts as changed", self._configuration)

    def _fetched(self, name: Name) -> Commit | None:
        """The commit, once it was asked for at the remote. Raises WrongUse where the remote has no such name."""
        if name.steps and fetches.is_shallow(self._git):
            fetches.deepen(self._git, (self._head.sha,))
            return commit(self._git, name)
        answered = fetches.commit(self._git, name)
        found = commit(self._git, name)
        if found is None and name.sha is None and answered is not None:
            raise unknown(name)
        return found

    def _first_push(self) -> Comparison:
        branch = self._branch()
        if queued := _QUEUE.fullmatch(branch or ""):
            return self._queued(queued["branch"], queued["sha"])
        default = self._asked.default_branch or self._default_branch(ask=True)
        if default is None:
            return self._everything("no base, and the default branch is not known")
        if branch == default:
            return self._everything(f"first push of the default branch {default}")
        tip = self._tip(default)
        if tip is None:
            return self._everything(f"no base, and the default branch {default} is not here")
        found = self._merge_base(tip, f"first push: compared with where it left {default}")
        if branch is None and found.against == (self._head.sha,):
            return self._everything(f"first push, perhaps of {default} itself")
        return found

    def _usual(self) -> Comparison:
        """Where the head left the default branch; on that branch, the commit before."""
        branch = self._branch()
        if queued := _QUEUE.fullmatch(branch or ""):
            return self._queued(queued["branch"], queued["sha"])
        default = self._asked.default_branch or self._default_branch(ask=self._asked.merge_base)
        tip = None if default in {None, branch} else self._tip(default or "")
        if tip is not None:
            found = self._merge_base(tip)
            if branch is not None or found.against != (self._head.sha,):
                return found
        return self._before()

    def _before(self) -> Comparison:
        if not self._head.parents:
            return self._everything("there is no commit before")
        parent = named(self._head.parents[0])
        if commit(self._git, parent) or self._fetched(parent):
            return self._plain(parent.text)
        return self._untold(parent.text, f"{parent.text} is not here, and could not be fetched")

    def _queued(self, branch: str, sha: str) -> Comparison:
        """A merge queue names the commit that it put its own upon in the name of its ref."""
        name = named(sha)
        if commit(self._git, name) or self._fetched(name):
            return self._plain(sha)
        return self._untold(sha, f"{sha}, on which the merge queue of {branch} builds, could not be fetched")

    def _merge_base(self, base: str, reason: str | None = None) -> Comparison:
        found = self._merge_bases(base)
        if not found and fetches.is_shallow(self._git):
            fetches.deepen(self._git, (base, self._head.sha))
            found = self._merge_bases(base)
            if not found and fetches.is_shallow(self._git):
                return self._untold(base, "the clone is too shallow to tell the merge base")
        if not found:
            told = f"{self._head.sha[:12]} and {base[:12]} have no merge base"
            if self._asked.base == ZERO:
                return self._everything(told)
            return self._plain(base, f"{told}: compared with each other")
        if len(found) > 1:
            reason = f"{len(found)} merge bases: what differs from any of them counts"
        return Comparison(found[0], self._head.sha, found, reason, self._configuration)

    def _merge_bases(self, base: str) -> tuple[str, ...]:
        try:
            return tuple(self._git.text("merge-base", "--all", base, self._head.sha).split())
        except GitError as error:
            if error.stderr:
                raise
            return ()  # that there is none is a status without a word

    def _branch(self) -> str | None:
        """The branch that the head is named by; None for a commit, a tag or a detached HEAD."""
        name = self._asked.head
        if name in {"HEAD", "@"}:
            return self._git.text("branch", "--show-current") or None
        name = name.removeprefix("refs/heads/").removeprefix("origin/")
        found = self._git.ref(f"refs/heads/{name}") or self._git.ref(f"refs/remotes/origin/{name}")
        return name if found else None

    def _default_branch(self, *, ask: bool) -> str | None:
        """The remote's HEAD; the remote itself is asked only with `ask`."""
        known = self._git.text("for-each-ref", "--format=%(symref)", "refs/remotes/origin/HEAD")
        if known:
            return known.removeprefix("refs/remotes/origin/")
        return fetches.default_branch(self._git) if ask else None

    def _tip(self, branch: str) -> str | None:
        """The default branch's commit: the remote's, as that is what others have."""
        named(branch)
        name = Name(branch, (f"refs/remotes/origin/{branch}", f"refs/heads/{branch}"))
        found = commit(self._git, name)
        if found is None and fetches.commit(self._git, name):
            found = commit(self._git, name)
        return found.sha if found else None
