"""The section `ecr` of `argosy.yaml`: what it comes to in an environment, and how it says what is wrong."""

from __future__ import annotations

import json

import pytest

from argosy.ecr.lifecycle import DEFAULT_LIFECYCLE_POLICY, default_policy
from argosy.ecr.settings import DEFAULT_ECR, ECRSettings
from argosy.errors import ConfigurationError
from argosy.infrastructure import (
    ECRRegistry,
    ECRRepository,
    Encryption,
    ReplicationDestination,
    ReplicationRule,
    ScanConfig,
    Scanning,
    ScanningRule,
)
from argosy.settings.text import problems, read

KEY = "arn:aws:kms:eu-west-1:123456789012:key/1"
COUNT = "count_type: imageCountMoreThan, count_number: 9999"
KEEP = f"{{priority: 1, tag_status: tagged, tag_patterns: ['deployed-*'], {COUNT}}}"
ROLE = "arn:aws:iam::123456789012:role/scanner"
TEXT = """\
version: 1
registry: {type: ecr, account_id: "123456789012", region: eu-west-1, repository: "shop-{service}"}
ecr: {}
services: {ui: {}, cart: {}}
environments:
  dev:
    source: {branch: main}
    target: {branch: main, values: dev.yaml}
    registry: {repository: "dev-shop-{service}"}
    ecr: {}
  prod:
    source: {branch: main}
    target: {branch: main}
"""


def written(ecr: str = "{}", dev: str = "{}", text: str = TEXT) -> bytes:
    return text.replace("\necr: {}", f"\necr: {ecr}").replace("    ecr: {}", f"    ecr: {dev}").encode()


def settings(ecr: str = "{}", dev: str = "{}", environment: str = "dev") -> ECRSettings:
    return read(written(ecr, dev), environment).ecr


def repository(found: ECRSettings, service: str = "ui") -> ECRRepository:
    return found.repository(f"shop-{service}", "eu-west-1", service)


def test_without_a_word_a_repository_is_as_it_always_was() -> None:
    assert settings() == DEFAULT_ECR == read(written(text=TEXT.replace("\necr: {}", "")), "dev").ecr
    assert repository(DEFAULT_ECR) == ECRRepository(
        "shop-ui", "eu-west-1", lifecycle_policy=DEFAULT_LIFECYCLE_POLICY, scan_configuration=ScanConfig(True),
        tags=(("managed-by", "argosy"), ("service", "ui")),
    )  # fmt: skip


def test_everything_that_is_said_of_repositories_is_wanted() -> None:
    document = '{Statement: [{Effect: Allow, Principal: "*", Action: "ecr:BatchGetImage"}]}'
    found = settings(
        f"{{scan_on_push: false, immutable: true, encryption: {{type: KMS, key: '{KEY}'}}, policy: {document}, "
        "team: shop, tags: {cost: 'c-{service}'}, lifecycle: {keep_releases: 7, untagged_days: 2, cache_days: 3}}"
    )
    wanted = repository(found)
    assert (wanted.scan_configuration, wanted.mutability) == (ScanConfig(False), "IMMUTABLE")
    assert wanted.encryption == Encryption("KMS", KEY)
    assert wanted.lifecycle_policy == default_policy(7, 2, 3)
    assert json.loads(wanted.policy or "")["Statement"][0]["Action"] == "ecr:BatchGetImage"
    assert dict(wanted.tags) == {"cost": "c-ui", "managed-by": "argosy", "service": "ui", "team": "shop"}


def test_an_environment_replaces_a_key_and_adds_tags() -> None:
    of_all = "{immutable: true, lifecycle: {untagged_days: 3}, tags: {a: all, b: all}, team: shop, teams: {ui: front}}"
    dev = "{immutable: false, lifecycle: {keep_releases: 5}, tags: {b: dev}, teams: {cart: back}}"
    found = settings(of_all, dev)
    assert (found.mutability, found.lifecycle) == ("MUTABLE", default_policy(5))
    assert dict(repository(found).tags).items() >= {"a": "all", "b": "dev", "team": "front"}.items()
    assert dict(repository(found, "cart").tags)["team"] == "back"
    assert settings(of_all, dev, "prod").mutability == "IMMUTABLE"
    assert dict(repository(settings(of_all, dev, "prod"), "cart").tags)["team"] == "shop"


def test_rules_take_the_place_of_argosys_own_policy() -> None:
    rules = f"""{{lifecycle: {{rules: [
      {KEEP},
      {{priority: 2, tag_status: tagged, tag_prefixes: ['previous-'], {COUNT}}},
      {{priority: 3, description: a, tag_status: any, count_type: sinceImagePushed, count_unit: days, count_number: 9}}
    ]}}}}"""
    found = settings(rules).lifecycle.rules
    assert [(rule.priority, rule.description, rule.selection.count_number) for rule in found] == [
        (1, "", 9999), (2, "", 9999), (3, "a", 9),
    ]  # fmt: skip
    assert found[1].selection.patterns == ("previous-*",)


def test_what_is_said_of_the_registry_is_wanted_of_it() -> None:
    found = settings(
        "{replication: [{prefixes: [shop-], destinations: [{region: us-east-1}, "
        "{region: eu-west-3, account_id: '210987654321'}]}], "
        "scanning: {type: ENHANCED, rules: [{frequency: CONTINUOUS_SCAN, filters: ['shop-*']}]}, "
        f"pull_time_exclusions: ['{ROLE}']}}"
    )
    destinations = (
        ReplicationDestination("us-east-1", "123456789012"),
        ReplicationDestination("eu-west-3", "210987654321"),
    )
    assert found.registry == ECRRegistry(
        "123456789012",
        "eu-west-1",
        (ReplicationRule(destinations, ("shop-",)),),
        Scanning("ENHANCED", (ScanningRule("CONTINUOUS_SCAN", ("shop-*",)),)),
        (ROLE,),
    )
    # What scans the registry decides, and a repository's own switch would be another opinion.
    assert repository(found).scan_configuration is None


def test_nothing_is_wanted_of_a_registry_that_nothing_is_said_of() -> None:
    assert settings("{immutable: true}").registry is None


def test_a_policy_may_be_in_a_file_whose_text_is_checked_when_it_is_read() -> None:
    found = settings("{policy: policies/ecr.json}")
    assert (found.policy, found.policy_file) == (None, "policies/ecr.json")
    text = json.dumps({"Statement": {"Effect": "Allow", "Principal": "*", "Action": "ecr:BatchGetImage"}})
    assert found.repository("shop-ui", "eu-west-1", "ui", text).policy == text
    with pytest.raises(ConfigurationError, match=r"policies/ecr.json: it is no JSON.*correct the file"):
        found.repository("shop-ui", "eu-west-1", "ui", "{")


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("{imutable: true}", "argosy.yaml:3:7: ecr.imutable is not a known key (did you mean immutable?)"),
        ("{lifecycle: {keep: 3}}", "ecr.lifecycle.keep is not a known key"),
        ("{scan_on_push: 1}", "argosy.yaml:3:7: ecr.scan_on_push is wrong"),
        ("{lifecycle: {keep_releases: 0}}", "ecr.lifecycle.keep_releases is wrong"),
        ("{encryption: {type: AES}}", "ecr.encryption.type is wrong"),
        (f"{{encryption: {{key: '{KEY}'}}}}", "a key goes with type: KMS"),
        ("{encryption: {type: KMS, key: alias/mine}}", "must be the key's id or ARN"),
        ("{policy: ../outside.json}", "must be a path inside the repository"),
        ("{policy: {Statement: []}}", "argosy.yaml:3:7: ecr.policy is wrong: a repository policy has"),
        ("{tags: {'aws:owner': me}}", "must be a tag's key"),
        ("{tags: {owner: 'me, you'}}", "must be a tag's value"),
        ("{tags: {service: other}}", "argosy.yaml:3:14: ecr.tags.service is wrong: the tag service is Argosy's own"),
        ("{tags: {cost: '{path}'}}", "the tag cost has a placeholder that stands for nothing (there is {service})"),
        ("{teams: {uu: front}}", "argosy.yaml:3:15: ecr.teams.uu is wrong: uu is no service (there are ui, cart)"),
        ("{lifecycle: {keep_releases: 3, rules: [" + KEEP + "]}}", "rules are the whole policy"),
        ("{replication: [{destinations: []}]}", "ecr.replication.0.destinations is wrong"),
        ("{replication: [{destinations: [{region: Paris}]}]}", "ecr.replication.0.destinations.0.region is wrong"),
        ("{replication: [{prefixes: ['*'], destinations: [{region: us-east-1}]}]}", "prefixes.0 is wrong"),
        ("{replication: [" + ", ".join(["{destinations: [{region: us-east-1}]}"] * 26) + "]}", "at most 25 items"),
        ("{scanning: {type: BASIC, rules: [{frequency: CONTINUOUS_SCAN, filters: ['*']}]}}", "no frequency CONTINUOUS"),
        ("{scanning: {type: ENHANCED, rules: [{frequency: MANUAL, filters: ['*']}]}}", "has no frequency MANUAL"),
        ("{scanning: {type: BASIC, rules: [{frequency: MANUAL, filters: []}]}}", "filters is wrong"),
        (
            "{scanning: {type: BASIC, rules: [{frequency: MANUAL, filters: [a]}, {frequency: MANUAL, filters: [b]}]}}",
            "two rules have the same frequency",
        ),
        ("{pull_time_exclusions: ['role/scanner']}", "ecr.pull_time_exclusions.0 is wrong"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_place_and_remedy(wrong: str, words: str) -> None:
    assert words in str(problems(written(wrong))[0])


def test_a_lifecycle_rule_that_endangers_a_release_is_named_with_its_line() -> None:
    rule = "{priority: 7, tag_status: any, count_type: sinceImagePushed, count_unit: days, count_number: 90}"
    text = written(f"{{lifecycle: {{rules: [\n  {KEEP},\n  {rule}\n  ]}}}}")
    [problem] = problems(text)
    assert str(problem).startswith("argosy.yaml:5:3: ecr.lifecycle.rules.1 is wrong: rule 7 could expire an image with")
    assert "put a rule before it with tag_status: tagged, tag_patterns: ['previous-*']" in str(problem)


def test_what_is_wrong_with_an_environments_own_is_found_there() -> None:
    assert str(problems(written(dev="{tags: {team: x}}"))[0]).startswith(
        "argosy.yaml:10:18: environments.dev.ecr.tags.team is wrong: the tag team is Argosy's own"
    )
    assert "environments.dev.ecr.teams.uu is wrong" in str(problems(written(dev="{teams: {uu: x}}"))[0])
    assert "environments.dev.ecr.policy is wrong" in str(problems(written(dev="{policy: {}}"))[0])
    rule = "{priority: 7, tag_status: any, count_type: imageCountMoreThan, count_number: 9}"
    [problem] = problems(written(dev=f"{{lifecycle: {{rules: [{rule}]}}}}"))
    assert "environments.dev.ecr.lifecycle.rules.0 is wrong" in str(problem)


def test_a_registry_that_is_replicated_to_itself_is_named() -> None:
    rule = "[{destinations: [{region: us-east-1}, {region: eu-west-1}]}]"
    assert "ecr.replication.0.destinations.1 is wrong: it copies from eu-west-1" in str(
        problems(written(f"{{replication: {rule}}}"))[0]
    )
    assert "environments.dev.ecr.replication.0.destinations.1 is wrong" in str(
        problems(written(dev=f"{{replication: {rule}}}"))[0]
    )
    elsewhere = "[{destinations: [{region: eu-west-1, account_id: '210987654321'}]}]"
    assert not problems(written(f"{{replication: {elsewhere}}}"))


SHARED = TEXT.replace('    registry: {repository: "dev-shop-{service}"}\n', "")


def test_environments_that_share_repositories_want_the_same_of_them() -> None:
    problem = problems(written(dev="{immutable: true}", text=SHARED))[0]
    assert "environments.dev.ecr.immutable is wrong: dev and prod release to the same repositories" in str(problem)
    assert "give one of them its own registry.repository" in str(problem)
    assert not problems(written("{immutable: true}", text=SHARED))
    assert not problems(written("{immutable: true}", "{immutable: true}", text=SHARED))
    assert not problems(written(dev=f"{{pull_time_exclusions: ['{ROLE}']}}", text=SHARED))


def test_another_kind_of_registry_has_nothing_to_do_with_it() -> None:
    oci = TEXT.replace('type: ecr, account_id: "123456789012", region: eu-west-1', 'type: oci, endpoint: "r.example"')
    assert not problems(written(text=oci))
    assert "argosy.yaml:3:1: ecr is wrong: ecr is about Amazon ECR" in str(problems(written("{team: x}", text=oci))[0])
    found = str(problems(written(dev="{team: x}", text=oci))[0])
    assert "environments.dev.ecr is wrong: ecr is about Amazon ECR" in found
