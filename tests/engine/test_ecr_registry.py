"""What a whole registry is told: what is configured is there afterwards, and what others set is there still."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from argosy.ecr.registry import ensure_registry
from argosy.errors import Terminal
from argosy.infrastructure import ECRRegistry, ReplicationDestination, ReplicationRule, Scanning, ScanningRule
from deployments.local.aws import ACCOUNT, REGION, Aws
from tests.aws_account import administrated, connected, forget_registry

if TYPE_CHECKING:
    from mypy_boto3_ecr.client import ECRClient

FRANCE, IRELAND = ReplicationDestination("eu-west-3", ACCOUNT), ReplicationDestination("eu-west-1", "210987654321")
NOTHING = ECRRegistry(ACCOUNT, REGION)
SHOP = ReplicationRule((FRANCE, IRELAND), ("shop-", "dev-shop-"))
ROLE = f"arn:aws:iam::{ACCOUNT}:role/scanner"
OTHERS: Any = {
    "destinations": [{"region": "us-west-2", "registryId": ACCOUNT}],
    "repositoryFilters": [{"filter": "billing-", "filterType": "PREFIX_MATCH"}],
}


@pytest.fixture(scope="module")
def administrator(account: Aws) -> Iterator[ECRClient]:
    with administrated(account) as administrator:
        yield administrator


@pytest.fixture(scope="module")
def connection(account: Aws) -> Iterator[ECRClient]:
    with connected(account, account.key) as client:
        yield client


@pytest.fixture
def client(connection: ECRClient, administrator: ECRClient) -> Iterator[ECRClient]:
    """A client of a registry that was told nothing yet."""
    forget_registry(administrator)
    yield connection
    forget_registry(administrator)


@contextmanager
def hooked(client: ECRClient, event: str, hook: Callable[..., None]) -> Iterator[None]:
    """Have `hook` called at each `event` of the client's, for the length of a `with`."""
    client.meta.events.register(event, hook)
    try:
        yield
    finally:
        client.meta.events.unregister(event, hook)


def put(client: ECRClient, *rules: Any) -> None:
    client.put_replication_configuration(replicationConfiguration={"rules": list(rules)})


def replication(client: ECRClient) -> list[Any]:
    return list(client.describe_registry()["replicationConfiguration"]["rules"])


def scanning(client: ECRClient) -> tuple[str, dict[str, list[str]]]:
    found = client.get_registry_scanning_configuration()["scanningConfiguration"]
    rules = found["rules"]
    return found["scanType"], {r["scanFrequency"]: [f["filter"] for f in r["repositoryFilters"]] for r in rules}


def excluded(client: ECRClient) -> list[str]:
    return client.list_pull_time_update_exclusions()["pullTimeUpdateExclusions"]


def test_where_nothing_is_configured_nothing_is_asked_and_nothing_changed(client: ECRClient) -> None:
    put(client, OTHERS)
    with hooked(client, "before-call.ecr", lambda **call: pytest.fail(f"it calls {call['model'].name}")):
        assert ensure_registry(client, NOTHING) == ()
    assert replication(client) == [OTHERS]


def test_images_are_replicated_to_regions_and_accounts(client: ECRClient) -> None:
    wanted = replace(NOTHING, replication=(SHOP,))
    done = ensure_registry(client, wanted)
    assert done == (
        f"replicates shop-*, dev-shop-* to eu-west-3 of account {ACCOUNT}, eu-west-1 of account 210987654321",
    )
    assert replication(client) == [
        {
            "destinations": [
                {"region": "eu-west-3", "registryId": ACCOUNT}, {"region": "eu-west-1", "registryId": "210987654321"},
            ],
            "repositoryFilters": [
                {"filter": "shop-", "filterType": "PREFIX_MATCH"},
                {"filter": "dev-shop-", "filterType": "PREFIX_MATCH"},
            ],
        }
    ]  # fmt: skip
    assert ensure_registry(client, wanted) == ()


def test_the_rules_of_others_stay_and_one_with_the_same_prefixes_is_replaced(client: ECRClient) -> None:
    ensure_registry(client, replace(NOTHING, replication=(SHOP,)))
    put(client, *replication(client), OTHERS)
    elsewhere = ReplicationRule((FRANCE,), SHOP.prefixes[::-1])
    done = ensure_registry(client, replace(NOTHING, replication=(elsewhere,)))
    assert done == (f"replicates dev-shop-*, shop-* to eu-west-3 of account {ACCOUNT}",)
    there = replication(client)
    assert there[0] == OTHERS
    assert [rule["destinations"] for rule in there[1:]] == [[{"region": "eu-west-3", "registryId": ACCOUNT}]]


def test_a_rule_without_prefixes_is_for_every_repository(client: ECRClient) -> None:
    wanted = replace(NOTHING, replication=(ReplicationRule((FRANCE,)),))
    assert ensure_registry(client, wanted) == (f"replicates every repository to eu-west-3 of account {ACCOUNT}",)
    assert replication(client) == [{"destinations": [{"region": "eu-west-3", "registryId": ACCOUNT}]}]
    assert ensure_registry(client, wanted) == ()


def test_more_rules_than_ecr_takes_are_refused_and_nothing_is_changed(client: ECRClient) -> None:
    others = [OTHERS | {"repositoryFilters": [{"filter": f"b-{n}", "filterType": "PREFIX_MATCH"}]} for n in range(25)]
    put(client, *others)
    with pytest.raises(Terminal, match="26 replication rules, and ECR takes 25"):
        ensure_registry(client, replace(NOTHING, replication=(SHOP,)))
    assert replication(client) == others


def test_scanning_is_set_for_the_whole_registry(client: ECRClient) -> None:
    rules = ScanningRule("CONTINUOUS_SCAN", ("prod-*",)), ScanningRule("SCAN_ON_PUSH", ("dev-*", "test-*"))
    wanted = replace(NOTHING, scanning=Scanning("ENHANCED", rules))
    [done] = ensure_registry(client, wanted)
    assert done == (
        "scans by ENHANCED: CONTINUOUS_SCAN of prod-*, SCAN_ON_PUSH of dev-* test-*; before it was BASIC: nothing"
    )
    assert scanning(client) == ("ENHANCED", {"CONTINUOUS_SCAN": ["prod-*"], "SCAN_ON_PUSH": ["dev-*", "test-*"]})
    assert ensure_registry(client, wanted) == ()


def test_filters_of_others_stay_beside_ours(client: ECRClient) -> None:
    theirs: Any = {
        "scanFrequency": "SCAN_ON_PUSH",
        "repositoryFilters": [{"filter": "billing-*", "filterType": "WILDCARD"}],
    }
    client.put_registry_scanning_configuration(scanType="BASIC", rules=[theirs])
    wanted = replace(NOTHING, scanning=Scanning("BASIC", (ScanningRule("SCAN_ON_PUSH", ("shop-*",)),)))
    ensure_registry(client, wanted)
    assert scanning(client) == ("BASIC", {"SCAN_ON_PUSH": ["billing-*", "shop-*"]})


def test_a_rule_that_the_type_of_scanning_does_not_know_goes_and_is_told(client: ECRClient) -> None:
    ensure_registry(client, replace(NOTHING, scanning=Scanning("ENHANCED", (ScanningRule("CONTINUOUS_SCAN", ("*",)),))))
    [done] = ensure_registry(client, replace(NOTHING, scanning=Scanning("BASIC")))
    assert done == "scans by BASIC: nothing; before it was ENHANCED: CONTINUOUS_SCAN of *"
    assert scanning(client) == ("BASIC", {})


def test_pulls_of_some_do_not_count_as_use_and_exclusions_of_others_stay(client: ECRClient) -> None:
    client.register_pull_time_update_exclusion(principalArn=f"{ROLE}-of-others")
    wanted = replace(NOTHING, pull_time_exclusions=(ROLE,))
    assert ensure_registry(client, wanted) == (f"pulls by {ROLE} no longer count as use",)
    assert excluded(client) == [ROLE, f"{ROLE}-of-others"]
    assert ensure_registry(client, wanted) == ()


def test_an_exclusion_that_another_run_adds_meanwhile_is_no_error(client: ECRClient, administrator: ECRClient) -> None:
    def overtake(**_: object) -> None:
        administrator.register_pull_time_update_exclusion(principalArn=ROLE)

    with hooked(client, "before-call.ecr.RegisterPullTimeUpdateExclusion", overtake):
        assert ensure_registry(client, replace(NOTHING, pull_time_exclusions=(ROLE,))) == ()
    assert excluded(client) == [ROLE]
