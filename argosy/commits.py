"""Making a commit from edited files in a bare repository: no work tree, an index of its own, signed or not."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pydantic import SecretStr

from argosy.errors import Terminal
from argosy.git import EXECUTABLE, REGULAR, Git, GitError
from argosy.secret_files import secret_file


@dataclass(frozen=True, slots=True)
class Identity:
    """Who commits, and the SSH private key that signs; without a key a commit is not signed."""

    name: str
    email: str
    signing_key: SecretStr | None = None

    def environment(self, when: datetime) -> dict[str, str]:
        """Author and committer, as git wants them."""
        stamp = f"{int(when.timestamp())} +0000"
        roles = ("AUTHOR", "COMMITTER")
        fields = {"NAME": self.name, "EMAIL": self.email, "DATE": stamp}
        return {f"GIT_{role}_{key}": value for role in roles for key, value in fields.items()}


@dataclass(frozen=True, slots=True)
class Draft:
    """A commit to be: the `files` that it changes, by path from the root, over those of its parent."""

    parent: str
    files: Mapping[str, bytes]
    message: str
    identity: Identity
    when: datetime


def commit(git: Git, draft: Draft) -> str:
    """Write the commit's objects, and return its SHA; no ref is moved."""
    tree = _tree(git, draft)
    words = ["commit-tree", "-p", draft.parent, tree]
    data, who = draft.message.encode(errors="surrogateescape"), draft.identity.environment(draft.when)
    if draft.identity.signing_key is None:
        return git.text(*words, data=data, extra=who)
    with secret_file(_whole(draft.identity.signing_key)) as key:
        settings = ["-c", "gpg.format=ssh", "-c", f"user.signingkey={key}"]
        try:
            return git.text(*settings, "commit-tree", "-S", *words[1:], data=data, extra=who)
        except GitError as error:
            raise Terminal(
                f"the release commit could not be signed: {error.stderr.strip()}",
                remedy="put an SSH private key in OpenSSH's format, without a passphrase, into the block's signing_key",
            ) from error


def _whole(key: SecretStr) -> SecretStr:
    # ssh-keygen refuses a key without its last line end, which is lost where keys are pasted.
    lines = key.get_secret_value().strip().splitlines()
    return SecretStr("".join(f"{line.rstrip()}\n" for line in lines))


def _tree(git: Git, draft: Draft) -> str:
    modes = {entry.path: entry.mode for entry in git.tree(draft.parent)}
    with tempfile.TemporaryDirectory(prefix="argosy-index-") as folder:
        index = {"GIT_INDEX_FILE": f"{folder}/index"}
        git.run("read-tree", draft.parent, extra=index)
        rows = []
        for path, content in draft.files.items():
            mode = modes.get(path, REGULAR)
            if mode not in {REGULAR, EXECUTABLE}:
                raise Terminal(f"{path} is no regular file", remedy="commit the file itself there, no link")
            blob = git.text("hash-object", "-w", "--stdin", data=content)
            rows.append(f"{mode} {blob}\t{path}\0")
        git.run("update-index", "-z", "--index-info", data="".join(rows).encode(), extra=index)
        return git.text("write-tree", extra=index)


def notes_commit(git: Git, parent: str | None, notes: Mapping[str, bytes], identity: Identity, when: datetime) -> str:
    """Write a commit of a notes ref on `parent` in which each annotated commit has the given note."""
    # git spreads a large notes tree over folders, and reads one without them just as well
    kept = {entry.path.replace("/", ""): entry for entry in git.tree(parent)} if parent else {}
    rows = [f"{entry.mode} blob {entry.object_id}\t{path}\0" for path, entry in kept.items() if path not in notes]
    for annotated, content in notes.items():
        blob = git.text("hash-object", "-w", "--stdin", data=content)
        rows.append(f"100644 blob {blob}\t{annotated}\0")
    tree = git.text("mktree", "-z", data="".join(rows).encode())
    options = ["-p", parent] if parent else []
    return git.text("commit-tree", *options, tree, data=b"Argosy verdicts\n", extra=identity.environment(when))
