"""What an environment's ECR repositories and registry should be, by `argosy.yaml`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from argosy.config import Configuration
from argosy.ecr.documents import policy_flaw
from argosy.ecr.lifecycle import DEFAULT_LIFECYCLE_POLICY, default_policy, flaws
from argosy.errors import ConfigurationError
from argosy.infrastructure import (
    AES256,
    ECRRegistry,
    ECRRepository,
    Encryption,
    LifecyclePolicy,
    PolicyRule,
    ReplicationDestination,
    ReplicationRule,
    ScanConfig,
    Scanning,
    ScanningRule,
    SelectionCriteria,
)
from argosy.services import contradiction, repository_template
from argosy.settings.ecr import EcrConfig, LifecycleConfig, LifecycleRuleConfig

_OWN_TAGS = ("managed-by", "service", "team")
_OF_REGISTRIES = ("replication", "scanning", "pull_time_exclusions")


@dataclass(frozen=True, slots=True)
class ECRSettings:
    """How an environment's repositories are kept; `policy_file` is the path of a JSON document, else `policy` is it.

    `registry` is None where nothing is said of the whole registry; `tags` are templates.
    """

    scan_on_push: bool | None = True
    encryption: Encryption = AES256
    mutability: Literal["MUTABLE", "IMMUTABLE"] = "MUTABLE"
    lifecycle: LifecyclePolicy = DEFAULT_LIFECYCLE_POLICY
    policy: str | None = None
    policy_file: str | None = None
    team: str | None = None
    teams: tuple[tuple[str, str], ...] = ()
    tags: tuple[tuple[str, str], ...] = ()
    registry: ECRRegistry | None = None

    def repository(self, name: str, region: str, service: str, policy: str | None = None) -> ECRRepository:
        """The repository called `name`, of `service`; `policy` is the text of `policy_file`, where there is one.

        Raises ConfigurationError where that text is no policy.
        """
        if policy is not None and (wrong := policy_flaw(policy)):
            raise ConfigurationError(f"{self.policy_file}: {wrong}", remedy="correct the file that ecr.policy names")
        return ECRRepository(
            name=name,
            region=region,
            lifecycle_policy=self.lifecycle,
            scan_configuration=None if self.scan_on_push is None else ScanConfig(self.scan_on_push),
            mutability=self.mutability,
            encryption=self.encryption,
            policy=policy or self.policy,
            tags=self._tags(service),
        )

    def _tags(self, service: str) -> tuple[tuple[str, str], ...]:
        team = dict(self.teams).get(service, self.team)
        own = {"managed-by": "argosy", "service": service} | ({"team": team} if team else {})
        others = {key: value.replace("{service}", service) for key, value in self.tags}
        return tuple(sorted((others | own).items()))


DEFAULT_ECR = ECRSettings()


def resolve_ecr(configuration: Configuration, name: str) -> ECRSettings:
    """The settings of the environment called `name`. Raises ConfigurationError for what ECR or a release cannot do."""
    config, own = laid_over(configuration, name), configuration.environments[name].ecr
    if not config.model_fields_set:
        return DEFAULT_ECR
    _check_kind(configuration, name)
    _check_shared(configuration, name, config)

    def place(key: str) -> tuple[str, ...]:
        return ("environments", name, "ecr", key) if key in own.model_fields_set else ("ecr", key)

    _check_tags(configuration, name, config)
    inline = None if config.policy is None or isinstance(config.policy, str) else json.dumps(config.policy)
    if inline and (wrong := policy_flaw(inline)):
        raise contradiction(wrong, "see docs/ecr.md", *place("policy"))
    return ECRSettings(
        scan_on_push=None if config.scanning else config.scan_on_push,
        encryption=Encryption(config.encryption.type, config.encryption.key),
        mutability="IMMUTABLE" if config.immutable else "MUTABLE",
        lifecycle=_lifecycle(config.lifecycle, place("lifecycle")),
        policy=inline,
        policy_file=config.policy if isinstance(config.policy, str) else None,
        team=config.team,
        teams=tuple(sorted(config.teams.items())),
        tags=tuple(sorted(config.tags.items())),
        registry=_registry(configuration, config, place),
    )


def laid_over(configuration: Configuration, name: str) -> EcrConfig:
    """The section of all environments with what the one called `name` says of its own."""
    own, of_all = configuration.environments[name].ecr, configuration.ecr
    given = {key: getattr(own, key) for key in own.model_fields_set}
    for key in {"tags", "teams"} & given.keys():
        given[key] = getattr(of_all, key) | given[key]
    return of_all.model_copy(update=given)


def _check_kind(configuration: Configuration, name: str) -> None:
    if all(each.type != "ecr" for each in (configuration.registry, *configuration.registries.values())):
        path = ("environments", name, "ecr") if configuration.environments[name].ecr.model_fields_set else ("ecr",)
        raise contradiction(
            "ecr is about Amazon ECR, and registry.type is another", "leave it out, or write type: ecr", *path
        )


def _check_shared(configuration: Configuration, name: str, config: EcrConfig) -> None:
    """Environments that share repositories would each undo what the other set, release by release."""

    for other in configuration.environments:
        if other == name or _templates(configuration, other).isdisjoint(_templates(configuration, name)):
            continue
        theirs = laid_over(configuration, other)
        keys = [key for key in EcrConfig.model_fields if key not in _OF_REGISTRIES]
        if differing := [key for key in keys if getattr(theirs, key) != getattr(config, key)]:
            own = name if differing[0] in configuration.environments[name].ecr.model_fields_set else other
            raise contradiction(
                f"{name} and {other} release to the same repositories, and want another ecr.{differing[0]} of them",
                "write it into the section ecr of all environments, or give one of them its own registry.repository",
                "environments", own, "ecr", differing[0],
            )  # fmt: skip


def _templates(configuration: Configuration, name: str) -> set[tuple[str | None, str]]:
    """The registries that services live in, with the templates of the repositories' names there."""
    services = configuration.services.values()
    used = {service.registry or configuration.defaults.registry for service in services}
    return {(key, repository_template(configuration, configuration.environments[name], key)) for key in used}


def _check_tags(configuration: Configuration, name: str, config: EcrConfig) -> None:
    own = configuration.environments[name].ecr
    for key, value in config.tags.items():
        path = ("environments", name, "ecr", "tags", key) if key in own.tags else ("ecr", "tags", key)
        if key in _OWN_TAGS:
            raise contradiction(f"the tag {key} is Argosy's own", "for team there are ecr.team and ecr.teams", *path)
        if {"{", "}"} & set(value.replace("{service}", "")):
            raise contradiction(f"the tag {key} has a placeholder that stands for nothing", "there is {service}", *path)
    for service in config.teams:
        if service not in configuration.services:
            section: tuple[str, ...] = ("environments", name) if service in own.teams else ()
            known = ", ".join(configuration.services)
            raise contradiction(f"{service} is no service", f"there are {known}", *section, "ecr", "teams", service)


def _lifecycle(config: LifecycleConfig, place: tuple[str, ...]) -> LifecyclePolicy:
    if not config.rules:
        return default_policy(config.keep_releases, config.untagged_days, config.cache_days)
    policy = LifecyclePolicy(tuple(map(_rule, config.rules)))
    for flaw in flaws(policy):
        index = () if flaw.index is None else (flaw.index,)
        raise contradiction(flaw.message, flaw.remedy, *place, "rules", *index)
    return policy


def _rule(config: LifecycleRuleConfig) -> PolicyRule:
    selection = SelectionCriteria(
        config.tag_status,
        config.count_type,
        config.count_number,
        config.count_unit,
        config.tag_patterns,
        config.tag_prefixes,
    )
    return PolicyRule(config.priority, config.description, selection)


def _registry(
    configuration: Configuration, config: EcrConfig, place: Callable[[str], tuple[str, ...]]
) -> ECRRegistry | None:
    account, region = configuration.registry.account_id, configuration.registry.region
    told = [key for key in _OF_REGISTRIES if getattr(config, key)]
    if not told:
        return None
    if not (account and region):
        raise contradiction(
            f"ecr.{told[0]} is told to the registry that registry describes, which is none of Amazon's",
            "leave it out, or let registry be the one of type ecr", *place(told[0]),
        )  # fmt: skip
    return ECRRegistry(
        account,
        region,
        replication=tuple(_replication(config, ReplicationDestination(region, account), place("replication"))),
        scanning=Scanning(
            config.scanning.type, tuple(ScanningRule(rule.frequency, rule.filters) for rule in config.scanning.rules)
        )
        if config.scanning
        else None,
        pull_time_exclusions=config.pull_time_exclusions,
    )


def _replication(config: EcrConfig, here: ReplicationDestination, place: tuple[str, ...]) -> Iterator[ReplicationRule]:
    for index, rule in enumerate(config.replication):
        destinations = [ReplicationDestination(to.region, to.account_id or here.account_id) for to in rule.destinations]
        if here in destinations:
            raise contradiction(
                f"it copies from {here.region} of account {here.account_id} to itself, which ECR refuses",
                "leave that destination out", *place, index, "destinations", destinations.index(here),
            )  # fmt: skip
        yield ReplicationRule(tuple(destinations), rule.prefixes)
