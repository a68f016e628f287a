"""Making a commit from edited files in a bare repository: no work tree, an index of its own, signed or not."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from argosy.errors import Terminal
from argosy.git import EXECUTABLE, REGULAR, Git
from argosy.signing import Signing, SigningKey


@dataclass(frozen=True, slots=True)
class Identity:
    """Who commits, and the private key that signs; without a key a commit is not signed."""

    name: str
    email: str
    signing_key: SigningKey | None = None

    def environment(self, when: datetime) -> dict[str, str]:
        """Author and committer, as git wants them."""
        stamp = f"{int(when.timestamp())} +0000"
        roles = ("AUTHOR", "COMMITTER")
        fields = {"NAME": self.name, "EMAIL": self.email, "DATE": stamp}
        return {f"GIT_{role}_{key}": value for role in roles for key, value in fields.items()}


@dataclass(frozen=True, slots=True)
class Draft:
    """A commit to be: the `files` that it changes, by path from the root, over those of its parent.

    The first commit of a notes ref has no parent.
    """

    parent: str | None
    files: Mapping[str, bytes]
    message: str
    identity: Identity
    when: datetime


def commit(git: Git, draft: Draft, signing: Signing) -> str:
    """Write the commit's objects, signed and verified as `signing` does it, and return its SHA; no ref is moved."""
    return _signed(git, draft, _tree(git, draft.parent or "", draft.files), signing)


def _tree(git: Git, parent: str, files: Mapping[str, bytes]) -> str:
    modes = {entry.path: entry.mode for entry in git.tree(parent, [*files])}
    with tempfile.TemporaryDirectory(prefix="argosy-index-") as folder:
        index = {"GIT_INDEX_FILE": f"{folder}/index"}
        git.run("read-tree", parent, extra=index)
        rows = []
        for path, content in files.items():
            mode = modes.get(path, REGULAR)
            if mode not in {REGULAR, EXECUTABLE}:
                raise Terminal(f"{path} is no regular file", remedy="commit the file itself there, no link")
            blob = git.text("hash-object", "-w", "--stdin", data=content)
            rows.append(f"{mode} {blob}\t{path}\0")
        git.run("update-index", "-z", "--index-info", data="".join(rows).encode(), extra=index)
        return git.text("write-tree", extra=index)


def notes_commit(git: Git, draft: Draft, signing: Signing) -> str:
    """Write a commit of a notes ref in which each commit whose SHA `files` has, has the given note."""
    parent, notes = draft.parent, draft.files
    # git spreads a large notes tree over folders, and reads one without them just as well
    kept = {entry.path.replace("/", ""): entry for entry in git.tree(parent)} if parent else {}
    rows = [f"{entry.mode} blob {entry.object_id}\t{path}\0" for path, entry in kept.items() if path not in notes]
    for annotated, content in notes.items():
        blob = git.text("hash-object", "-w", "--stdin", data=content)
        rows.append(f"100644 blob {blob}\t{annotated}\0")
    tree = git.text("mktree", "-z", data="".join(rows).encode())
    return _signed(git, draft, tree, signing)


def _signed(git: Git, draft: Draft, tree: str, signing: Signing) -> str:
    parents = ["-p", draft.parent] if draft.parent else []
    message, who = draft.message.encode(errors="surrogateescape"), draft.identity.environment(draft.when)
    return signing.commit_tree(git, *parents, tree, message=message, who=who)
