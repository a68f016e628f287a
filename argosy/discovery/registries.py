"""The registry that images go to, read from values files, workflows and Terraform."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from argosy.discovery.factoring import factored
from argosy.discovery.fitting import fits
from argosy.discovery.notes import Note
from argosy.discovery.tree import Tree
from argosy.settings.registry import PLACEHOLDER_ACCOUNT

PLACEHOLDER_REGION = "us-east-1"

_ECR = re.compile(r"(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?")
_ACCOUNT = re.compile(
    r"(?:account[-_]?(?:id)?|registries|registry[-_]id)[\"']?\s*[:=]\s*[\"']?(\d{12})\b|arn:aws[\w-]*:iam::(\d{12}):",
    re.IGNORECASE,
)
_REGION = re.compile(r"region[\"']?\s*[:=]\s*[\"']?([a-z]{2}(?:-[a-z]+)+-\d)\b", re.IGNORECASE)
_REGISTRY = re.compile(
    r"(?:\$\{\{[^}]*registry[^}]*\}\}|\$\{?\w*REGISTRY\w*\}?|[\w.-]+\.amazonaws\.com(?:\.cn)?)/"
    r"([a-z0-9._/-]*\{service\}[a-z0-9._/{}-]*)",
    re.IGNORECASE,
)
_NAMED = re.compile(
    r"repositor(?:y|ies)[\w-]*[\"']?\s*[:=]\s*[\"']?([a-z0-9._/-]*\{service\}[a-z0-9._/-]*)", re.IGNORECASE
)
_TERRAFORM = re.compile(r'resource\s+"aws_ecr_repository"[^{]*\{[^{}]*?\bname\s*=\s*"((?:[^"$]|\$\{[^}]*\})+)"')
# Images of others lie there, which a values file may well name before the first release.
_PUBLIC = ("docker.io", "index.docker.io", "public.ecr.aws", "registry.k8s.io", "quay.io", "mcr.microsoft.com")


@dataclass(frozen=True, slots=True)
class Registry:
    """Where images go: `host` is that of a registry other than ECR."""

    repository: str
    account_id: str | None = None
    region: str | None = None
    host: str | None = None
    own: Mapping[str, str] = field(default_factory=dict)


def registry(
    tree: Tree, texts: Iterable[str], references: Mapping[str, str], fallback: str, notes: list[Note]
) -> Registry:
    """The registry; `texts` are those of workflows, `references` the repository in each service's values file.

    `fallback` is the template of the repositories' names where nothing tells it.
    """
    told = [*texts, *(text for _, text in tree.named(".tf", ".tfvars"))]
    private = {name: each for name, each in references.items() if _is_host(each) and not each.startswith(_PUBLIC)}
    private = {name: each for name, each in private.items() if fits("host", each.partition("/")[0])}
    ours = {name: each for name, each in private.items() if _ECR.match(each)}
    others = Counter(each.partition("/")[0] for name, each in private.items() if name not in ours)
    if others and not ours and not any(_ECR.search(text) or "ecr" in text.lower() for text in told):
        host = min(others, key=lambda each: (-others[each], each))
        notes.append(Note("registry.endpoint", f"{host} was taken, because values files name it: see that it is yours"))
        ours = {name: each for name, each in private.items() if each.startswith(f"{host}/")}
        return Registry(_template(told, ours, fallback, notes), host=host)
    account, region = _ecr([*ours.values(), *told], notes)
    return Registry(_template(told, ours, fallback, notes), account, region)


def _is_host(reference: str) -> bool:
    host, slash, _ = reference.partition("/")
    return bool(slash) and ("." in host or ":" in host)


def _ecr(texts: list[str], notes: list[Note]) -> tuple[str, str]:
    hosts = [match for text in texts for match in _ECR.findall(text)]
    accounts = Counter(account for account, _ in hosts)
    regions = Counter(region for _, region in hosts if fits("region", region))
    if not accounts:
        accounts = Counter(one or two for text in texts for one, two in _ACCOUNT.findall(text))
    if not regions:
        regions = Counter(region for text in texts for region in _REGION.findall(text))
    account = _chosen("registry.account_id", accounts, PLACEHOLDER_ACCOUNT, notes)
    return account, _chosen("registry.region", regions, PLACEHOLDER_REGION, notes)


def _chosen(key: str, votes: Counter[str], placeholder: str, notes: list[Note]) -> str:
    if not votes:
        notes.append(Note(key, f"nothing says it: {placeholder} is a placeholder, put your own there"))
        return placeholder
    best = min(votes, key=lambda each: (-votes[each], each))
    if len(votes) > 1:
        notes.append(Note(key, f"{best} was taken; {', '.join(sorted(set(votes) - {best}))} is named too"))
    return best


def _template(texts: list[str], references: Mapping[str, str], fallback: str, notes: list[Note]) -> str:
    named = factored({name: each.partition("/")[2] for name, each in references.items()})
    if named.template and "{service}" in named.template and not named.own and fits("repository", named.template):
        return named.template
    votes = Counter(_tidy(name) for text in texts for name in _REGISTRY.findall(text) + _NAMED.findall(text))
    if not votes:
        votes = Counter(_terraform(name) for text in texts for name in _TERRAFORM.findall(text))
    votes = Counter({name: count for name, count in votes.items() if fits("repository", name)})
    if best := max(sorted(votes), key=lambda each: votes[each], default=""):
        return best
    notes.append(Note("registry.repository", f"nothing says how repositories are called: {fallback} is a guess"))
    return fallback


def _tidy(name: str) -> str:
    return name.partition(":")[0].strip("/.-")


def _terraform(name: str) -> str:
    filled, count = re.subn(r"\$\{[^}]*\}", "{service}", name)
    return filled if count == 1 else ""
