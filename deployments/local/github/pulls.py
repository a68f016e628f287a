"""The pull requests of one repository: opened, changed, merged and closed, by whom and in whose words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from deployments.local.github.repository import Conflict, Moved, Repository

METHODS = ("merge", "squash", "rebase")


@dataclass(slots=True)
class Pull:
    """One pull request; `head_sha` stays what it was when it ended."""

    number: int
    title: str
    body: str
    head: str
    base: str
    user: str
    head_sha: str
    open: bool = True
    merge_commit: str | None = None
    auto_merge: str | None = None
    comments: list[str] = field(default_factory=list)


class Refused(Exception):
    """What GitHub answers with a status and one of its sentences."""

    def __init__(self, status: int, message: str, errors: Sequence[dict[str, str]] = ()) -> None:
        super().__init__(message)
        self.status, self.message, self.errors = status, message, list(errors)


@dataclass(slots=True)
class Pulls:
    """The pull requests of `repository`, `name` in full; with `checking` required checks are under way."""

    repository: Repository
    name: str
    every: list[Pull] = field(default_factory=list)
    checking: bool = False

    def refresh(self) -> None:
        """Follow what was pushed: a head that moved, one that is gone, or that the base has already."""
        for pull in self.every:
            if pull.open:
                self._follow(pull)

    def _follow(self, pull: Pull) -> None:
        head, base = self.repository.tip(pull.head), self.repository.tip(pull.base)
        if head is None or base is None:
            pull.open = False
            return
        pull.head_sha = head
        if self.repository.git.is_ancestor(head, base):
            pull.open, pull.merge_commit = False, head
        elif pull.auto_merge and not self.checking:
            self.merge(pull, pull.auto_merge, pull.user)

    def create(self, title: str, body: str, head: str, base: str, user: str) -> Pull:
        """Open one. Raises Refused where there is one already, and where there is nothing to merge."""
        ours, theirs = self.repository.tip(head), self.repository.tip(base)
        for name, tip in (("head", ours), ("base", theirs)):
            if tip is None:
                raise _invalid({"resource": "PullRequest", "field": name, "code": "invalid"})
        assert ours is not None and theirs is not None  # noqa: S101, PT018 - refused above
        if any(pull.open and (pull.head, pull.base) == (head, base) for pull in self.every):
            owner = self.name.partition("/")[0]
            raise _custom(f"A pull request already exists for {owner}:{head}.")
        if not self.repository.between(theirs, ours):
            raise _custom(f"No commits between {base} and {head}")
        pull = Pull(len(self.every) + 1, title, body, head, base, user, ours)
        self.every.append(pull)
        return pull

    def merge(self, pull: Pull, method: str, user: str, sha: str | None = None) -> str:
        """Merge it, and return the commit. Raises Refused as GitHub does where that cannot be."""
        if not pull.open or self.checking:
            raise Refused(405, "Pull Request is not mergeable")
        if sha and sha != pull.head_sha:
            raise Refused(409, "Head branch was modified. Review and try the merge again.")
        base = self.repository.tip(pull.base) or ""
        try:
            made = self._merged(pull, base, method, user)
            self.repository.move(pull.base, made, base)
        except Conflict as error:
            raise Refused(405, "Pull Request is not mergeable") from error
        except Moved as error:
            raise Refused(405, "Base branch was modified. Review and try the merge again.") from error
        pull.open, pull.merge_commit = False, made
        return made

    def _merged(self, pull: Pull, base: str, method: str, user: str) -> str:
        if method == "rebase":
            return self.repository.rebase(base, pull.head_sha)
        if method == "squash":
            return self.repository.squash(base, pull.head_sha, self._squashed(pull, base), user)
        owner = self.name.partition("/")[0]
        message = f"Merge pull request #{pull.number} from {owner}/{pull.head}\n\n{pull.title}"
        return self.repository.merge(base, pull.head_sha, message, user)

    def _squashed(self, pull: Pull, base: str) -> str:
        """The message that GitHub proposes: that of the one commit, else all of them as a list, and who wrote them."""
        commits = self.repository.between(base, pull.head_sha)
        messages = [self.repository.message(each) for each in commits]
        if len(messages) == 1:
            subject, _, rest = messages[0].partition("\n")
            text = f"{subject} (#{pull.number})\n{rest}"
        else:
            text = f"{pull.title} (#{pull.number})\n\n" + "\n\n".join(f"* {each}" for each in messages)
        authors = {self.repository.git.text("log", "-1", "--format=%an <%ae>", each) for each in commits}
        credits = "\n".join(f"Co-authored-by: {each}" for each in sorted(authors))
        return f"{text.rstrip()}\n\n---------\n\n{credits}" if len(messages) > 1 else f"{text.rstrip()}\n\n{credits}"


def _custom(message: str) -> Refused:
    return _invalid({"resource": "PullRequest", "code": "custom", "message": message})


def _invalid(error: dict[str, str]) -> Refused:
    return Refused(422, "Validation Failed", [error])
