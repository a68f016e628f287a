"""What a whole ECR registry is told: where it replicates to, what scans it, and whose pulls do not count as use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from argosy.errors import Terminal
from argosy.infrastructure import ECRRegistry, ReplicationDestination, ReplicationRule, Scanning

if TYPE_CHECKING:
    from mypy_boto3_ecr.client import ECRClient
    from mypy_boto3_ecr.literals import ScanFrequencyType
    from mypy_boto3_ecr.type_defs import (
        RegistryScanningRuleTypeDef,
        ReplicationRuleOutputTypeDef,
        ReplicationRuleTypeDef,
        ScanningRepositoryFilterTypeDef,
    )

REPLICATION_RULES, PULL_TIME_EXCLUSIONS = 25, 100
"""How many a registry has at most."""
_BASIC = "SCAN_ON_PUSH", "MANUAL"


def ensure_registry(client: ECRClient, wanted: ECRRegistry) -> tuple[str, ...]:
    """Bring the registry to what is configured, and return in words each thing that was done.

    A registry is shared: rules and exclusions of others stay. A replication rule with the same prefixes, and the type
    of scanning, are replaced. Raises Terminal where there is no room left; botocore's errors, for `translate`.
    """
    done = [*_replication(client, wanted.replication)] if wanted.replication else []
    done += [*_scanning(client, wanted.scanning)] if wanted.scanning else []
    done += [*_exclusions(client, wanted.pull_time_exclusions)] if wanted.pull_time_exclusions else []
    return tuple(done)


def _replication(client: ECRClient, wanted: Sequence[ReplicationRule]) -> Iterator[str]:
    there = client.describe_registry().get("replicationConfiguration", {}).get("rules", [])
    standing = [_as_rule(rule) for rule in there]
    ours = {frozenset(rule.prefixes) for rule in wanted}
    rules = [rule for rule in standing if frozenset(rule.prefixes) not in ours] + list(wanted)
    if {_plain(rule) for rule in rules} == {_plain(rule) for rule in standing}:
        return
    _make_room(len(rules), REPLICATION_RULES, "replication rules")
    client.put_replication_configuration(replicationConfiguration={"rules": [_document(rule) for rule in rules]})
    for rule in wanted:
        if _plain(rule) not in {_plain(each) for each in standing}:
            yield f"replicates {_named(rule.prefixes)} to {', '.join(map(_place, rule.destinations))}"


def _as_rule(rule: ReplicationRuleOutputTypeDef) -> ReplicationRule:
    destinations = (ReplicationDestination(each["region"], each["registryId"]) for each in rule["destinations"])
    return ReplicationRule(tuple(destinations), tuple(each["filter"] for each in rule.get("repositoryFilters", [])))


def _document(rule: ReplicationRule) -> ReplicationRuleTypeDef:
    document: ReplicationRuleTypeDef = {
        "destinations": [{"region": each.region, "registryId": each.account_id} for each in rule.destinations]
    }
    if not rule.prefixes:
        return document  # ECR takes no empty list of filters
    return {
        **document,
        "repositoryFilters": [{"filter": prefix, "filterType": "PREFIX_MATCH"} for prefix in rule.prefixes],
    }


def _plain(rule: ReplicationRule) -> tuple[frozenset[ReplicationDestination], frozenset[str]]:
    return frozenset(rule.destinations), frozenset(rule.prefixes)


def _named(prefixes: Sequence[str]) -> str:
    return ", ".join(f"{prefix}*" for prefix in prefixes) or "every repository"


def _place(destination: ReplicationDestination) -> str:
    return f"{destination.region} of account {destination.account_id}"


def _scanning(client: ECRClient, wanted: Scanning) -> Iterator[str]:
    found = client.get_registry_scanning_configuration()["scanningConfiguration"]
    standing = {
        rule["scanFrequency"]: {each["filter"] for each in rule["repositoryFilters"]} for rule in found.get("rules", [])
    }
    possible = _BASIC if wanted.type == "BASIC" else ("SCAN_ON_PUSH", "CONTINUOUS_SCAN")
    rules = {kind: set(filters) for kind, filters in standing.items() if kind in possible}
    for rule in wanted.rules:
        rules.setdefault(rule.frequency, set()).update(rule.filters)
    if (rules, wanted.type) == (standing, found.get("scanType", "BASIC")):
        return
    client.put_registry_scanning_configuration(scanType=wanted.type, rules=_scanning_rules(rules))
    yield f"scans by {wanted.type}: {_told(rules)}; before it was {found.get('scanType', 'BASIC')}: {_told(standing)}"


def _scanning_rules(rules: Mapping[ScanFrequencyType, set[str]]) -> list[RegistryScanningRuleTypeDef]:
    return [
        {"scanFrequency": frequency, "repositoryFilters": _filters(filters)}
        for frequency, filters in sorted(rules.items())
    ]


def _filters(filters: set[str]) -> list[ScanningRepositoryFilterTypeDef]:
    return [{"filter": each, "filterType": "WILDCARD"} for each in sorted(filters)]


def _told(rules: Mapping[ScanFrequencyType, set[str]]) -> str:
    return ", ".join(f"{kind} of {' '.join(sorted(filters))}" for kind, filters in sorted(rules.items())) or "nothing"


def _exclusions(client: ECRClient, wanted: Sequence[str]) -> Iterator[str]:
    standing = set(_listed(client))
    missing = [arn for arn in wanted if arn not in standing]
    _make_room(len(standing) + len(missing), PULL_TIME_EXCLUSIONS, "pull-time exclusions")
    for arn in missing:
        with suppress(client.exceptions.ExclusionAlreadyExistsException):  # another run may be faster
            client.register_pull_time_update_exclusion(principalArn=arn)
            yield f"pulls by {arn} no longer count as use"


def _listed(client: ECRClient) -> Iterator[str]:
    page = client.list_pull_time_update_exclusions(maxResults=100)
    yield from page.get("pullTimeUpdateExclusions", [])
    while token := page.get("nextToken"):
        page = client.list_pull_time_update_exclusions(maxResults=100, nextToken=token)
        yield from page.get("pullTimeUpdateExclusions", [])


def _make_room(count: int, limit: int, what: str) -> None:
    if count > limit:
        raise Terminal(
            f"the registry would have {count} {what}, and ECR takes {limit}",
            remedy="take away those that nobody needs any more, or configure fewer",
        )
