"""GitHub's JSON of what the stand-in has."""

from __future__ import annotations

from typing import Any

from deployments.local.github.pulls import Pull, Pulls
from deployments.local.github.repository import Repository

_DOCS = "https://docs.github.com/rest"


def refusal(status: int, message: str, errors: list[dict[str, str]] | None = None) -> dict[str, Any]:
    """An answer that is no success."""
    found = {"errors": errors} if errors else {}
    return {"message": message, **found, "documentation_url": _DOCS, "status": str(status)}


def repository(full_name: str, default: str, *, push: bool) -> dict[str, Any]:
    """A repository, as the one asking may use it."""
    owner, _, name = full_name.partition("/")
    permissions = {"admin": False, "maintain": False, "push": push, "triage": push, "pull": True}
    settings = {"allow_auto_merge": True, "allow_merge_commit": True, "allow_squash_merge": True}
    return {
        "id": 1,
        "node_id": f"R_{name}",
        "name": name,
        "full_name": full_name,
        "owner": {"login": owner, "type": "Organization"},
        "default_branch": default,
        "permissions": permissions,
        **settings,
    }


def pull(base_url: str, pulls: Pulls, found: Pull) -> dict[str, Any]:
    """A pull request."""
    owner, _, name = pulls.name.partition("/")
    auto = {"enabled_by": {"login": found.user}, "merge_method": found.auto_merge}
    ends = {
        side: {"ref": ref, "sha": sha, "label": f"{owner}:{ref}", "repo": {"full_name": pulls.name, "name": name}}
        for side, ref, sha in (
            ("head", found.head, found.head_sha),
            ("base", found.base, pulls.repository.tip(found.base) or ""),
        )
    }
    return {
        "id": found.number,
        "node_id": f"PR_{pulls.name}_{found.number}",
        "number": found.number,
        "url": f"{base_url}/repos/{pulls.name}/pulls/{found.number}",
        "issue_url": f"{base_url}/repos/{pulls.name}/issues/{found.number}",
        "html_url": f"https://github.com/{pulls.name}/pull/{found.number}",
        "state": "open" if found.open else "closed",
        "title": found.title,
        "body": found.body,
        "user": {"login": found.user},
        "merged": found.merge_commit is not None,
        "merged_at": "2026-01-02T03:04:05Z" if found.merge_commit else None,
        "merge_commit_sha": found.merge_commit,
        "mergeable": None,  # it is worked out while nobody waits for it
        "mergeable_state": "unknown",
        "auto_merge": auto if found.auto_merge else None,
        "comments": len(found.comments),
        **ends,
    }


def commit(base_url: str, full_name: str, repository: Repository, sha: str) -> dict[str, Any]:
    """A commit with what GitHub says of its signature."""
    parents = repository.git.text("log", "-1", "--format=%P", sha).split()
    url = f"{base_url}/repos/{full_name}/commits"
    return {
        "sha": sha,
        "url": f"{url}/{sha}",
        "commit": {
            "message": repository.message(sha),
            "tree": {"sha": repository.git.text("rev-parse", f"{sha}^{{tree}}")},
            "verification": repository.verification(sha),
        },
        "parents": [{"sha": each, "url": f"{url}/{each}"} for each in parents],
    }
