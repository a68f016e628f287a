"""The file that `ecr.policy` names: whether a release will find it, and a policy in it."""

from __future__ import annotations

from collections.abc import Iterator

from argosy.doctor.findings import Finding, Level
from argosy.doctor.tracked import Checkout
from argosy.ecr.documents import policy_flaw
from argosy.environment import Environment

_WHAT = "repository policy"


def check(checkout: Checkout, environments: tuple[Environment, ...]) -> Iterator[Finding]:
    """What is wrong with the policy file of each of `environments` that names one."""
    for environment in environments:
        path = environment.ecr.policy_file
        if path is None:
            continue
        text = checkout.at(environment.source_branch, path)
        if text is None or checkout.link(path):
            remedy = "commit the file there, or name another one in ecr.policy"
            yield Finding(Level.WRONG, _WHAT, path, f"it is no file on {environment.source_branch}", remedy)
        elif wrong := policy_flaw(text.decode(errors="replace")):
            yield Finding(Level.WRONG, _WHAT, path, wrong, "correct the file that ecr.policy names")
