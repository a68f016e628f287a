"""The branch that a pull request of Argosy's comes from: its name, what is on it, and whether that says the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from argosy import trailers
from argosy.git import Git
from argosy.gitops.proposals import Proposal

Kind = Literal["release", "rollback", "holds"]
_GITHUB = "noreply@github.com"  # who commits where somebody lets GitHub bring a pull request up to date


def branch(environment: str, kind: Kind) -> str:
    """The one rolling branch for what is written of that kind in that environment."""
    return f"argosy/{environment}/{kind}"


@dataclass(frozen=True, slots=True)
class _Commit:
    sha: str
    parents: tuple[str, ...]
    committer: str
    message: str


@dataclass(frozen=True, slots=True)
class Rolling:
    """What the rolling branch has at `tip` that the target has not at `head`.

    `ours` is Argosy's newest commit there; `foreign` are commits of anybody else's that are not merges alone.
    """

    git: Git
    head: str
    tip: str
    base: str
    ours: str | None
    message: str
    foreign: tuple[str, ...]

    @classmethod
    def read(cls, git: Git, head: str, tip: str, environment: str, email: str) -> Rolling:
        """Read it; `email` is whose commits are Argosy's."""
        base = git.text("merge-base", head, tip)
        commits = list(_commits(git, f"{head}..{tip}"))
        own = [each for each in commits if _is_ours(each, environment, email)]
        # What lies below our commit was the target's then, though the target may have lost it since.
        since = list(_commits(git, f"{head}..{tip}", f"^{own[0].sha}")) if own else commits
        rest = [each for each in since if each not in own]
        foreign = [each.sha for each in rest if len(each.parents) < 2]
        known = {path for each in own for path in _changed(git, f"{each.sha}^", each.sha)}
        if len(foreign) < len(rest) and not known.issuperset(_changed(git, base, tip)):
            foreign += [each.sha for each in rest if len(each.parents) > 1]  # a merge that has somebody's work in it
        newest = own[0] if own else None
        message = newest.message if newest else ""
        return cls(git, head, tip, base, newest.sha if newest else None, message, tuple(foreign))

    def services(self) -> frozenset[str]:
        """The services that Argosy's commit there releases."""
        return frozenset(each.service for each in trailers.of_message(self.message))

    def says(self, proposal: Proposal, source_tip: str) -> bool:
        """Whether it says the same as `proposal`, made upon `head`: merged, the target would be as it should.

        The commit that a service's content is released from may be another, as long as the source branch still has it.
        """
        known = {each.service: each for each in trailers.of_message(self.message)}
        wanted = {each.service: each for each in trailers.of_message(proposal.message)}
        shas = {wanted[name].source_sha: known[name].source_sha for name in wanted if name in known}
        return (
            self.ours is not None
            and _contents(known.values()) == _contents(wanted.values())
            and all(shas[each.source_sha] == known[name].source_sha for name, each in wanted.items())
            and all(self.git.is_commit(sha) and self.git.is_ancestor(sha, source_tip) for sha in shas.values())
            and _subject(self.message) == _subject(proposal.message)
            and self._would_be(proposal.files, shas)
        )

    def _would_be(self, files: Mapping[str, bytes], shas: Mapping[str, str]) -> bool:
        """Whether the same files are changed, to the same but for the commits in their tags, and here alone."""
        changed = set(_changed(self.git, f"{self.ours}^", str(self.ours)))
        if changed != set(files):
            return False
        self.git.bring(f"{commit}:{path}" for path in files for commit in (self.base, self.head, self.tip))
        return all(
            self.git.file(self.base, path) == self.git.file(self.head, path)
            and self.git.file(self.tip, path) == _with(text, shas)
            for path, text in files.items()
        )


def _with(text: bytes, shas: Mapping[str, str]) -> bytes:
    for new, old in shas.items():
        text = text.replace(new.encode(), old.encode())
    return text


def _contents(records: Iterable[trailers.ReleaseRecord]) -> set[tuple[str, str, str, str]]:
    return {(each.service, each.content.hex, each.content.recipe, each.manifest_digest) for each in records}


def _subject(message: str) -> str:
    return message.partition("\n")[0].removesuffix(trailers.SKIP)


def _is_ours(commit: _Commit, environment: str, email: str) -> bool:
    lines = commit.message.splitlines()
    signed = f"{trailers.ENVIRONMENT}: {environment}" in lines and any(
        line.startswith(f"{trailers.RUN}: ") for line in lines
    )
    return signed and len(commit.parents) == 1 and commit.committer in {email, _GITHUB}


def _commits(git: Git, *revisions: str) -> Iterable[_Commit]:
    log = git.text("log", "-z", "--topo-order", "--format=%H%x00%P%x00%ce%x00%B", *revisions)
    words = log.split("\0")
    for sha, parents, committer, message in zip(*(words[start::4] for start in range(4)), strict=False):
        yield _Commit(sha.strip(), tuple(parents.split()), committer, message)


def _changed(git: Git, old: str, new: str) -> list[str]:
    listed = git.run("diff-tree", "-r", "-z", "--no-renames", "--name-only", old, new)
    return [each.decode(errors="surrogateescape") for each in listed.split(b"\0") if each]
