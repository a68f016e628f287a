"""Each stage by itself, against a real repository and registry and the blocks that it loads."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey
from prefect.client.schemas.sorting import ArtifactSort

from argosy import notes, trailers
from argosy.errors import ConfigurationError, Terminal
from argosy.models import Awaited, BuildStatus, Health, State, Verdict
from argosy.report import planned as as_planned
from tasks.build import build
from tasks.report import publish
from tasks.resolve import resolve
from tasks.tags import move_tags
from tasks.verify import record_verdicts, verify
from tasks.write_back import write_back
from tests.engine.helm import Bench, chart
from tests.hosted import SERVICES, HostedShop
from tests.tasks.stages import ENVIRONMENT, adopt, ensure, planned, reused


def rows(key: str) -> list[dict[str, str]]:
    """The newest table that was shown under `key`."""
    with get_client(sync_client=True) as client:
        wanted = ArtifactFilter(key=ArtifactFilterKey(any_=[key]))
        found = client.read_artifacts(artifact_filter=wanted, sort=ArtifactSort.CREATED_DESC)
    return list(json.loads(str(found[0].data)))


# resolve


def test_without_a_commit_the_tip_of_the_source_branch_is_released(hosted: HostedShop) -> None:
    first = resolve.fn(hosted.name, ENVIRONMENT, None)
    assert first.source_sha == first.target_sha == hosted.head
    newer = hosted.change("ui")
    assert resolve.fn(hosted.name, ENVIRONMENT, None).source_sha == newer
    assert resolve.fn(hosted.name, ENVIRONMENT, first.source_sha).source_sha == first.source_sha


def test_a_block_that_is_not_there_is_named_with_the_remedy(hosted: HostedShop) -> None:
    with pytest.raises(ConfigurationError, match="no gitops-repository block nowhere") as refused:
        resolve.fn("nowhere", ENVIRONMENT, None)
    assert "deployments.register" in (refused.value.remedy or "")


# plan


def test_a_plan_is_shown_service_by_service(hosted: HostedShop) -> None:
    plan = planned(hosted)
    assert {item.name: item.state for item in plan.services} == dict.fromkeys(SERVICES, State.UNKNOWN)
    shown = rows(f"plan-{ENVIRONMENT}")
    assert [(row["service"], row["state"]) for row in shown] == [(name, "unknown") for name in SERVICES]
    assert all("nothing explains public.example/shop-" in row["reason"] for row in shown)


def test_a_plan_asks_the_registry_what_it_has(hosted: HostedShop) -> None:
    hosted.image("ui")
    states = {item.name: item.state for item in planned(hosted, adopt=True).services}
    assert states == {"ui": State.REUSE, "cart": State.BUILD}


def test_a_plan_may_be_of_some_services(hosted: HostedShop) -> None:
    assert [item.name for item in planned(hosted, ["cart"]).services] == ["cart"]
    with pytest.raises(ConfigurationError, match="no service carts"):
        planned(hosted, ["carts"])


# repositories


def test_the_repository_is_there_afterwards_as_often_as_one_asks(hosted: HostedShop) -> None:
    item = planned(hosted, adopt=True).services[0]
    for _ in range(2):
        ensure(hosted, item)
    with hosted.ecr() as ecr:
        [found] = ecr.describe_repositories(repositoryNames=[f"{hosted.name}-ui"])["repositories"]
        policy = ecr.get_lifecycle_policy(repositoryName=f"{hosted.name}-ui")["lifecyclePolicyText"]
    assert found["imageScanningConfiguration"]["scanOnPush"]
    assert "deployed-" in policy


def test_a_repository_that_aws_refuses_is_a_terminal_trouble_that_names_it(hosted: HostedShop) -> None:
    hosted.use(hosted.cloud.aws.create_user(hosted.name, ["ecr:GetAuthorizationToken"]))
    item = planned(hosted, adopt=True).services[0]
    with pytest.raises(Terminal, match=f"{hosted.name}-ui"):
        ensure(hosted, item)


# build


def test_content_that_the_registry_has_gets_the_release_tag_and_is_not_built(hosted: HostedShop) -> None:
    digest = hosted.image("ui")
    plan = planned(hosted, ["ui"], adopt=True)
    [result] = reused(hosted, plan)
    assert (result.status, result.manifest_digest) == (BuildStatus.REUSED, digest)
    assert result.reference == plan.services[0].wanted
    assert hosted.digest("ui", hosted.head) == digest


def test_a_commit_that_names_another_image_already_keeps_it(hosted: HostedShop) -> None:
    digest = hosted.image("ui")
    other = hosted.cloud.push(f"{hosted.name}-ui", "another", hosted.head)
    [result] = reused(hosted, planned(hosted, ["ui"], adopt=True))
    assert result.reference.tag == trailers.long_tag(hosted.head, digest)
    assert (hosted.digest("ui", hosted.head), hosted.digest("ui", result.reference.tag)) == (other, digest)


def test_a_build_without_an_engine_says_which_block_is_missing(hosted: HostedShop) -> None:
    item = planned(hosted, ["ui"], adopt=True).services[0]
    with pytest.raises(ConfigurationError, match="docker-host block"):
        build.fn(hosted.name, ENVIRONMENT, hosted.head, item)


# write back


def test_every_result_is_written_in_one_commit(hosted: HostedShop) -> None:
    source = hosted.head
    written = adopt(hosted)
    assert (written.commit, set(written.released)) == (hosted.tip, set(SERVICES))
    assert hosted.run("rev-list", f"{source}..{hosted.tip}") == hosted.tip
    for name in SERVICES:
        assert f"{hosted.cloud.registry.host}/{hosted.name}-{name}\n" in hosted.values(name)
        assert f'tag: "{source}"' in hosted.values(name)


def test_charts_are_rendered_where_the_worker_has_a_helm(
    hosted: HostedShop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench.at(tmp_path)
    monkeypatch.setenv("PATH", f"{bench.bin}:{os.environ['PATH']}")
    hosted.commit("Fix the image", chart("cart", "kind: Deployment\nimage: fixed:1.0\n"))
    assert (adopt(hosted).released, bench.rendered) == (("ui",), {"ui": 1, "cart": 1})


def test_where_charts_have_to_be_rendered_nothing_is_planned_without_a_helm(
    hosted: HostedShop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "git").symlink_to(shutil.which("git") or "")
    monkeypatch.setenv("PATH", str(tmp_path))
    hosted.configure("environments:", "charts: {render_check: required}\nenvironments:")
    with pytest.raises(Terminal, match="no helm on PATH"):
        planned(hosted, adopt=True)


def test_a_service_without_a_result_is_not_written(hosted: HostedShop) -> None:
    adopt(hosted)
    before = hosted.values("cart")
    hosted.change("ui", "cart")
    hosted.image("ui")
    plan = planned(hosted)
    assert [item.name for item in plan.to_write] == ["ui", "cart"]
    ui = build.fn(hosted.name, ENVIRONMENT, plan.source_sha, plan.to_write[0])
    assert write_back.fn(hosted.name, plan, [ui]).released == ("ui",)
    assert hosted.values("cart") == before


def test_adoption_records_what_is_right_already(hosted: HostedShop) -> None:
    adopt(hosted)
    plan = planned(hosted, adopt=True)
    assert plan.to_write == ()
    written = write_back.fn(hosted.name, plan, [])
    records = trailers.records(hosted.read(), written.commit or "", ENVIRONMENT)
    assert {each.service for each in records if each.commit == written.commit} == set(SERVICES)
    assert written.changes == ()


# move tags


def test_the_tags_move_with_what_is_deployed(hosted: HostedShop) -> None:
    source = hosted.head
    adopt(hosted)
    moved = move_tags.fn(hosted.name, ENVIRONMENT, source, ("ui",))
    assert moved == {"ui": ["deployed-dev", "latest"], "cart": ["deployed-dev"]}
    wanted = hosted.digest("ui", source)
    assert {hosted.digest("ui", tag) for tag in ("deployed-dev", "latest")} == {wanted}
    assert hosted.digest("cart", "latest") is None
    assert move_tags.fn(hosted.name, ENVIRONMENT, source, ("ui",)) == {"ui": [], "cart": []}


def test_a_service_whose_values_are_gone_keeps_no_others_tags_from_moving(hosted: HostedShop) -> None:
    source = hosted.head
    adopt(hosted)
    hosted.commit("Drop", {"src/ui/chart/values-dev.yaml": None})
    assert move_tags.fn(hosted.name, ENVIRONMENT, source, ("cart",)) == {"cart": ["deployed-dev", "latest"]}


# verify and record


def test_what_comes_up_healthy_is_recorded_and_verified_ever_after(watched: HostedShop) -> None:
    source = watched.head
    written = adopt(watched)
    plan = planned(watched)
    assert {item.state for item in plan.services} == {State.UNVERIFIED}
    awaited = [Awaited(i.service, i.wanted, written.commit or "", i.manifest_digest) for i in plan.services]
    verdicts = [verify.fn(watched.name, ENVIRONMENT, source, each) for each in awaited]
    assert [(each.service, each.health) for each in verdicts] == [(name, Health.HEALTHY) for name in SERVICES]
    assert record_verdicts.fn(watched.name, ENVIRONMENT, source, awaited, verdicts)
    assert {each.service for each in notes.verified(watched.read(), ENVIRONMENT)} == set(SERVICES)
    assert planned(watched).nothing_to_do


def test_a_sync_that_failed_is_ordered_again_when_the_service_is_verified_anew(watched: HostedShop) -> None:
    watched.argocd.fail(f"{watched.name}-ui", "one or more objects failed to apply")
    written = adopt(watched)
    item = planned(watched, ["ui"]).services[0]
    awaited = Awaited(item.service, item.wanted, written.commit or "", item.manifest_digest)
    first = verify.fn(watched.name, ENVIRONMENT, written.commit or "", awaited)
    assert (first.health, "failed to apply" in first.reason) == (Health.FAILED, True)
    watched.argocd.release(f"{watched.name}-ui")
    again = verify.fn(watched.name, ENVIRONMENT, written.commit or "", awaited)
    assert again.health is Health.HEALTHY


def test_a_superseded_release_leaves_no_verdict(hosted: HostedShop) -> None:
    written = adopt(hosted)
    item = planned(hosted, ["ui"]).services[0]
    awaited = Awaited(item.service, item.wanted, written.commit or "", item.manifest_digest)
    verdict = Verdict("ui", item.wanted, Health.SUPERSEDED, "Argo CD compared another")
    assert record_verdicts.fn(hosted.name, ENVIRONMENT, hosted.head, [awaited], [verdict]) is None
    assert hosted.read().ref(notes.ref(ENVIRONMENT)) is None
    failed = replace(verdict, health=Health.FAILED)
    assert record_verdicts.fn(hosted.name, ENVIRONMENT, hosted.head, [awaited], [failed])
    assert notes.verified(hosted.read(), ENVIRONMENT) == frozenset()


def test_an_environment_without_argo_cd_cannot_be_verified(hosted: HostedShop) -> None:
    item = planned(hosted).services[0]
    with pytest.raises(ConfigurationError, match=r"ui: .* no argocd section"):
        verify.fn(hosted.name, ENVIRONMENT, hosted.head, Awaited(item.service, item.wanted, hosted.head, None))


# report


def test_the_report_is_shown_service_by_service(hosted: HostedShop) -> None:
    report = as_planned(planned(hosted))
    publish.fn(report)
    assert rows(f"release-{ENVIRONMENT}") == report.rows()
