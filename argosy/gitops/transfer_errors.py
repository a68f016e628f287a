"""What git says of a transfer that failed: a lost race, a refusal, credentials, or a server that is not there."""

from __future__ import annotations

import re

from argosy.errors import Terminal, Transient
from argosy.git import GitError

_LOST_RACE = re.compile(
    r"fetch first|non-fast-forward|stale info|cannot lock ref|failed to update ref|incorrect old value"
)
_LOCKED = re.compile(r"^(error|fatal): .*\.lock': File exists", re.MULTILINE)
_UNWELL = re.compile(r"unpacker error|remote unpack failed|Internal Server Error", re.IGNORECASE)
_REFUSED = re.compile(r"pre-receive hook declined|protected branch|remote rejected|denied by")
_UNAUTHORISED = re.compile(r"Authentication failed|could not read (Username|Password)|error: 401|Permission denied")
_FORBIDDEN = re.compile(r"error: 403")
_MISSING = re.compile(r"repository .* not found|does not appear to be a git repository|error: 404")
_SHA256 = re.compile(r"mismatched algorithms|does not support object-format|unknown object format")
# What the other side says begins with `remote:`, and is about its own disk and certificates.
FULL = re.compile(r"^(?!remote:).*(No space left on device|Disk quota exceeded|Out of diskspace)", re.MULTILINE)
"""What git says where our own disk is full."""
_UNTRUSTED = re.compile(r"^(?!remote:).*(certificate|SSL: no alternative|CAfile)", re.MULTILINE | re.IGNORECASE)
DAMAGED_THERE = re.compile(r"repository corruption on the remote side")
"""What git says of the objects of the other side."""
REDIRECTED = re.compile(r"^(?!remote:).*returned error: 30[12378]$", re.MULTILINE)
"""What git says where it is sent elsewhere and may not go."""
UNFILTERED = re.compile(r"^warning: filtering not recognized by server", re.MULTILINE)
"""What git says where the other side sends everything, whatever was to be left out."""
UNGIVEN = re.compile(r"upload-pack: not our ref|Server does not allow request for unadvertised object")
"""What git says where the other side does not have what it was asked for by its id, or gives nothing so."""
_UNREACHABLE = re.compile(
    r"Could not resolve host|Failed to connect|Connection (refused|reset|timed out)|Could not connect|Empty reply"
    r"|error: (429|5\d\d)|RPC failed|early EOF|unexpected disconnect|Operation (timed out|too slow)|hung up"
)


class PushRejected(Transient):
    """Somebody else's push came first: fetch, apply again, push again."""


class PushRefused(Terminal):
    """The server's rules keep the push off that branch: it is protected, or a hook says no."""


class Locked(Transient):
    """A lock file of git's lies in the mirror."""


def explain(error: GitError, url: str) -> Transient | Terminal:
    """What a failed transfer means: lost a race, refused, unauthorised, missing or unreachable."""
    said = error.stderr
    if (unfit := _unfit(said, url)) is not None:
        return unfit
    if DAMAGED_THERE.search(said):
        remedy = "mend that repository on its server: git fsck names there what is damaged or lost"
        return Terminal(f"{url} is damaged: {_last(said)}", remedy=remedy)
    if _LOST_RACE.search(said):
        return PushRejected(f"somebody else pushed to {url} first", remedy="run again: it starts from theirs")
    if _UNREACHABLE.search(said):
        return Transient(f"{url} cannot be reached: {_last(said)}", remedy="check that the git server is up")
    if _UNWELL.search(said):
        return Transient(f"{url} cannot take the push: {_last(said)}", remedy="see its server's disk and its log")
    return _denied(said, url) or Terminal(error.message, remedy=f"run the same git command against {url} by hand")


def _unfit(said: str, url: str) -> Transient | Terminal | None:
    """What keeps our side from asking at all."""
    if _LOCKED.search(said):
        return Locked(f"another git process writes to the mirror of {url}", remedy="wait for it, and run again")
    if _SHA256.search(said):
        return Terminal(
            f"{url} has SHA-256 object ids, which are not supported yet", remedy="release from a SHA-1 repository"
        )
    if FULL.search(said):
        return Transient(f"no room for {url}: {_last(said)}", remedy="make room on the disk of ARGOSY_HOME")
    if _UNTRUSTED.search(said):
        # Not SSL_CERT_FILE: a git that was built on GnuTLS, as Debian's is, does not read it.
        return Terminal(
            f"the certificate of {url} is not trusted: {_last(said)}",
            remedy="name the CA that signed it in GIT_SSL_CAINFO, where Argosy runs",
        )
    return None


def _denied(said: str, url: str) -> Terminal | None:
    """What the server does not let us do."""
    if _UNAUTHORISED.search(said):
        return Terminal(f"{url} refuses the credentials", remedy="renew the token in the GitOps repository block")
    if _FORBIDDEN.search(said):
        remedy = "give the token in the GitOps repository block read and write access to this repository"
        return Terminal(f"{url} refuses the credentials: {_last(said)}", remedy=remedy)
    if _REFUSED.search(said):
        remedy = "allow Argosy's user to push to that branch, or set target.mode to pull-request or auto in argosy.yaml"
        return PushRefused(f"{url} refuses the push: {_last(said)}", remedy=remedy)
    if _MISSING.search(said):
        return Terminal(f"{url} is not a repository", remedy="correct the URL in the GitOps repository block")
    return None


def _last(said: str) -> str:
    lines = [line for line in said.splitlines() if line.strip()]
    return " | ".join(lines[-4:])
