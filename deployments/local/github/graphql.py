"""The two mutations of GitHub's GraphQL API that Argosy uses; errors come with status 200, as there."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from typing import Any

from deployments.local.github.pulls import METHODS, Pulls
from deployments.local.github.repository import Moved

Find = Callable[[str], Pulls | None]
"""The pull requests of a repository by its full name, where the one asking sees it and may push."""


class Complaint(Exception):
    """One error of an answer."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind, self.message = kind, message


def answer(query: str, variables: Mapping[str, Any], find: Find, login: str) -> dict[str, Any]:
    """What GitHub answers to `query`."""
    named = re.search(r"\{\s*(\w+)\s*\(\s*input", query)
    name = named[1] if named else ""
    asked = _MUTATIONS.get(name)
    if asked is None:
        return {"errors": [{"message": f"Field '{name}' doesn't exist on type 'Mutation'"}]}
    try:
        return {"data": {name: asked(variables.get("input") or {}, find, login)}}
    except Complaint as error:
        place = {"path": [name], "locations": [{"line": 1, "column": 48}]}
        return {"data": {name: None}, "errors": [{"type": error.kind, **place, "message": error.message}]}


def _commit(given: Mapping[str, Any], find: Find, login: str) -> dict[str, Any]:
    branch = given["branch"]
    full, name = branch["repositoryNameWithOwner"], branch["branchName"].removeprefix("refs/heads/")
    pulls = find(full)
    if pulls is None:
        raise Complaint("NOT_FOUND", f"Could not resolve to a Repository with the name '{full}'.")
    repository, expected = pulls.repository, given["expectedHeadOid"]
    tip = repository.tip(name)
    if tip is None:
        raise Complaint("NOT_FOUND", f"Could not resolve to a branch with the name '{name}'.")
    if repository.protected(name):
        raise Complaint("BRANCH_PROTECTION_RULE_VIOLATION", "Changes must be made through a pull request.")
    if tip != expected:
        raise _stale(expected)
    changes = given.get("fileChanges") or {}
    added = {each["path"]: b64decode(each["contents"]) for each in changes.get("additions") or ()}
    gone = [each["path"] for each in changes.get("deletions") or ()]
    words = given["message"]
    message = f"{words['headline']}\n\n{words.get('body') or ''}".strip()
    made = repository.write(tip, added, gone, message, login)
    try:
        repository.move(name, made, tip)
    except Moved as error:
        raise _stale(expected) from error
    return {"commit": {"oid": made, "url": f"https://github.com/{full}/commit/{made}"}}


def _stale(expected: str) -> Complaint:
    said = f'Expected branch to point to "{expected}" but it did not.  Pull and try again.'
    return Complaint("STALE_DATA", said)


def _enable(given: Mapping[str, Any], find: Find, login: str) -> dict[str, Any]:
    node = re.fullmatch(r"PR_(.+)_(\d+)", given["pullRequestId"])
    pulls = find(node[1]) if node else None
    if node is None or pulls is None:
        raise Complaint("NOT_FOUND", f"Could not resolve to a node with the global id of '{given['pullRequestId']}'")
    pull = pulls.every[int(node[2]) - 1]
    method = str(given.get("mergeMethod") or "MERGE").lower()
    if not pull.open or method not in METHODS:
        raise Complaint("UNPROCESSABLE", "Pull request is closed")
    if not pulls.checking:
        raise Complaint("UNPROCESSABLE", "Pull request Pull request is in clean status")
    pull.auto_merge = method
    return {"actor": {"login": login}, "clientMutationId": None}


_MUTATIONS = {"createCommitOnBranch": _commit, "enablePullRequestAutoMerge": _enable}
