"""Policy documents of AWS: what can be one, and whether two say the same, whatever their order and shorthand."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

_ROOT = re.compile(r"arn:aws[a-z-]*:iam::([0-9]{12}):root")
# What a service adds or leaves out by itself.
_DEFAULTS = {"Version": "2008-10-17"}
_POLICY_SIZE = 10_240  # characters, as ECR counts them


def same_policy(one: str, other: str) -> bool:
    """Whether two policy documents, as JSON text, allow and deny the same in the same words."""
    return bool(_policy(json.loads(one)) == _policy(json.loads(other)))


def same_lifecycle(one: str, other: str) -> bool:
    """Whether two lifecycle policies, as JSON text, have the same rules."""
    return bool(_plain(json.loads(one)) == _plain(json.loads(other)))


def _policy(document: Mapping[str, Any]) -> Any:
    """The document with every list in one order, and each way of writing the same thing written one way."""
    statements = _listed(document.get("Statement", []))
    rest = {key: value for key, value in (_DEFAULTS | dict(document)).items() if key != "Statement"}
    return _plain(rest | {"Statement": [_statement(each) for each in statements]})


def _statement(statement: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in statement.items():
        if key in {"Principal", "NotPrincipal"}:
            found[key] = _principal(value)
        elif key in {"Action", "NotAction"}:
            found[key] = sorted({action.lower() for action in _listed(value)})  # IAM takes any case
        elif key == "Condition":
            found[key] = {test: {name: _listed(each) for name, each in of.items()} for test, of in value.items()}
        else:
            found[key] = _listed(value) if key in {"Resource", "NotResource"} else value
    return found


def _principal(value: Any) -> Any:
    """A principal as a mapping of lists; an account stands for its root."""
    given = {"AWS": "*"} if value == "*" else value
    return {kind: sorted({_account(each) for each in _listed(names)}) for kind, names in given.items()}


def _account(name: str) -> str:
    root = _ROOT.fullmatch(name)
    return root[1] if root else name


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _plain(value: Any) -> Any:
    """Equal for values that differ in nothing but the order of their lists."""
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return sorted((_plain(each) for each in value), key=lambda each: json.dumps(each, sort_keys=True))
    return value


def policy_flaw(text: str) -> str | None:
    """Why `text` can be no repository policy; None where it may be one."""
    try:
        document = json.loads(text)
    except ValueError as error:
        return f"it is no JSON: {error}"
    statements = document.get("Statement") if isinstance(document, dict) else None
    if isinstance(statements, dict):
        statements = [statements]
    if not isinstance(statements, list) or not statements or not all(map(_is_statement, statements)):
        return "a repository policy has a Statement, with Effect (Allow or Deny), Principal and Action in each"
    return f"it has more than {_POLICY_SIZE} characters" if len(text) > _POLICY_SIZE else None


def _is_statement(value: object) -> bool:
    if not isinstance(value, dict) or value.get("Effect") not in {"Allow", "Deny"}:
        return False
    return bool({"Principal", "NotPrincipal"} & value.keys()) and bool({"Action", "NotAction"} & value.keys())
