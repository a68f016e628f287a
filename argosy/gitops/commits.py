"""Making a commit from edited files in a bare repository: no work tree and no index, signed or not."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from argosy.errors import Terminal, Transient
from argosy.git import EXECUTABLE, REGULAR, Git
from argosy.gitops.commit_objects import Unsigned
from argosy.gitops.grafts import Graft
from argosy.gitops.signing import Signing, SigningKey

_UNMADE = "refs/argosy/unmade"
_MADE = re.compile(r"040000 tree ([0-9a-f]{40})")


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

    The first commit of a notes ref has no parent. `trees` are those that the files made upon other parents, by parent.
    """

    parent: str | None
    files: Mapping[str, bytes]
    message: str
    identity: Identity
    when: datetime
    trees: dict[str, str] = field(default_factory=dict, compare=False)


def commit(git: Git, draft: Draft, signing: Signing) -> str:
    """Write the commit's objects, signed and verified as `signing` does it, and return its SHA; no ref is moved."""
    parent = draft.parent or ""
    if parent not in draft.trees:
        draft.trees[parent] = _grafted(git, draft, parent) or _tree(git, parent, draft.files)
    return _signed(git, draft, draft.trees[parent], signing)


def _grafted(git: Git, draft: Draft, parent: str) -> str | None:
    """The tree that comes of the last one that was made, where that can be: it takes a third of the time."""
    return next((Graft(*each, parent).tree(git) for each in reversed(draft.trees.items())), None)


def _tree(git: Git, parent: str, files: Mapping[str, bytes]) -> str:
    """The tree of `parent` with `files` in it, in one process however many there are and however large it is."""
    if not files:
        return git.text("rev-parse", f"{parent}^{{tree}}")
    modes = {entry.path: entry.mode for entry in git.tree(parent, [*files])}
    stream = b"".join(_stream(parent, {path: (_mode(path, modes), text) for path, text in files.items()}))
    said = git.text("fast-import", "--quiet", data=stream)
    match = _MADE.match(said)
    if match is None:
        raise Transient(
            f"git fast-import said {said!r} and no tree", remedy="run again; see whether git was replaced meanwhile"
        )
    return match[1]


def _mode(path: str, modes: Mapping[str, str]) -> str:
    mode = modes.get(path, REGULAR)
    if mode not in {REGULAR, EXECUTABLE}:
        raise Terminal(f"{path} is no regular file", remedy="commit the file itself there, no link")
    return mode


def _stream(parent: str, files: Mapping[str, tuple[str, bytes]]) -> Iterator[bytes]:
    """What git fast-import makes a tree of and says its id; the branch that it wants for that is dropped unmade."""
    yield f"feature done\ncommit {_UNMADE}\ncommitter nobody <> 0 +0000\ndata 0\nfrom {parent}\n".encode()
    for path, (mode, text) in files.items():
        yield f"M {mode} inline {_quoted(path)}\ndata {len(text)}\n".encode(errors="surrogateescape") + text + b"\n"
    yield f'ls ""\nreset {_UNMADE}\nfrom {"0" * 40}\n\ndone\n'.encode()


def _quoted(path: str) -> str:
    escaped = path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def notes_commit(git: Git, draft: Draft, signing: Signing) -> str:
    """Write a commit of a notes ref in which each commit whose SHA `files` has, has the given note."""
    parent, notes = draft.parent, draft.files
    # git spreads a large notes tree over folders, and reads one without them just as well
    kept = {entry.path.replace("/", ""): entry for entry in git.tree(parent)} if parent else {}
    rows = [f"{entry.mode} blob {entry.object_id}\t{path}\0" for path, entry in kept.items() if path not in notes]
    for annotated, content in notes.items():
        blob = git.text("hash-object", "-w", "--stdin", data=content)
        rows.append(f"100644 blob {blob}\t{annotated}\0")
    # --missing: what the other notes say need not be at hand.
    tree = git.text("mktree", "-z", "--missing", data="".join(rows).encode())
    return _signed(git, draft, tree, signing)


def _signed(git: Git, draft: Draft, tree: str, signing: Signing) -> str:
    message, who = draft.message.encode(errors="surrogateescape"), draft.identity.environment(draft.when)
    return signing.commit(git, Unsigned(tree, draft.parent, message, who))
