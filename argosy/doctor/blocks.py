"""The Prefect blocks that runs will load: whether each is there, of its type, and has the fields that it needs.

The documents are read without their secrets: Prefect shows whether a secret is set, and nothing of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from argosy.doctor.findings import Finding, Level
from argosy.environment import Environment

REPOSITORY = "gitops-repository"
_REGISTER = "register it: python -m deployments.register --blocks …"
_SET = "set it in the Prefect UI, or register the block anew: python -m deployments.register --blocks …"
_SIGN = "put the private key that target.sign wants into the block's signing_key, or leave that out"


@dataclass(frozen=True, slots=True)
class Need:
    """That one of `fields` is set, `reason` why, and the `remedy` where none is."""

    fields: tuple[str, ...]
    reason: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """A block that a run will load, and what it needs of it beyond what its type demands."""

    kind: str
    name: str
    needs: tuple[Need, ...] = ()


def wanted(environments: Sequence[Environment], deployments: Sequence[Mapping[str, Any]]) -> tuple[Wanted, ...]:
    """The blocks that runs of these environments, as these deployments start them, will load."""
    found: dict[Wanted, None] = {}
    for environment in environments:
        found |= dict.fromkeys(_of_environment(environment))
    here = {each.name: each for each in environments if each.target_repository is None}
    for deployment in deployments:
        parameters = deployment.get("parameters") or {}
        if name := parameters.get("repository"):
            written = here.get(str(parameters.get("environment")))
            found[Wanted(REPOSITORY, str(name), _of_target(written) if written else ())] = None
    return tuple(found)


def _of_target(environment: Environment) -> tuple[Need, ...]:
    """What the block of the repository must have that the environment is written to."""
    key = Need(("signing_key",), "release commits are to be signed", _SIGN)
    token = Need(("token",), "GitHub's API lets nobody in without one", _SET)
    return (*((key,) if environment.sign else ()), *((token,) if environment.mode != "push" else ()))


def _of_environment(environment: Environment) -> Iterator[Wanted]:
    yield from _of_builds(environment)
    if environment.target_repository:
        yield Wanted(REPOSITORY, environment.target_repository, _of_target(environment))
    for target in environment.used_registries:
        if target.type == "ecr":
            login = Need(("aws_credentials", "token"), "Amazon ECR lets nobody in without credentials", _SET)
            yield Wanted("container-registry", target.login, (login,))
            yield Wanted("aws-credentials", target.aws)
        else:
            yield Wanted("container-registry", target.login)
    if environment.watch:
        yield Wanted("argocd-server", environment.blocks.argocd)


def _of_builds(environment: Environment) -> Iterator[Wanted]:
    builder = environment.builder
    if not (builder.name or builder.address):
        yield Wanted("docker-host", environment.blocks.docker)
    if builder.tls:
        yield Wanted("buildkit-tls", builder.tls)
    for service in environment.services:
        for name in (*(block for _, block in service.build.secrets), service.build.ssh):
            if name:
                yield Wanted("secret", name)


def check(blocks: Sequence[Wanted], documents: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    """A finding for each of the `blocks` that is missing, of another type, or incomplete; praise where none is."""
    known = {identity(document): document for document in documents}
    types = {str(document.get("name")): identity(document).partition("/")[0] for document in documents}
    found: dict[Finding, None] = {}
    for block in blocks:
        document = known.get(f"{block.kind}/{block.name}")
        found |= dict.fromkeys([_missing(block, types)] if document is None else _incomplete(block, document))
    yield from found
    names = {(block.kind, block.name) for block in blocks}
    if names and not found:
        yield Finding(Level.GOOD, "blocks", "Prefect", f"all {len(names)} are there, with what they need")


def identity(document: Mapping[str, Any]) -> str:
    """`type/name` of a block document."""
    kind = (document.get("block_type") or {}).get("slug")
    return f"{kind}/{document.get('name')}"


def _missing(block: Wanted, types: Mapping[str, str]) -> Finding:
    if block.name in types:
        why = f"it is a {types[block.name]} block, and a {block.kind} block is wanted"
        remedy = f"make a {block.kind} block of that name, or name another in argosy.yaml under blocks"
    else:
        why, remedy = f"there is no {block.kind} block of that name", _REGISTER
    return Finding(Level.WRONG, "block", block.name, why, remedy)


def _incomplete(block: Wanted, document: Mapping[str, Any]) -> Iterator[Finding]:
    schema = (document.get("block_schema") or {}).get("fields") or {}
    demanded = [Need((field,), f"every {block.kind} block has one", _SET) for field in schema.get("required") or ()]
    values = {**(document.get("data") or {}), **(document.get("block_document_references") or {})}
    for need in (*demanded, *block.needs):
        if not any(values.get(field) for field in need.fields):
            fields = " and no ".join(need.fields)
            why = f"the {block.kind} block has no {fields}, and {need.reason}"
            yield Finding(Level.WRONG, "block", block.name, why, need.remedy)
