"""What the stand-in makes of a repository and a registry, and how it answers."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from argosy.argocd.client import ArgoCD
from argosy.errors import Terminal, Transient
from argosy.home import home
from deployments.local.argocd.controller import Following
from deployments.local.argocd.repository import Login
from deployments.local.argocd.server import ArgoCDStandIn
from deployments.local.argocd.state import Timing
from deployments.local.registry import USER, Registry, binary
from tests.deployments import images
from tests.deployments.argocd.world import App, Repository, application, chart, health, message, values


def test_an_application_is_healthy_only_after_its_image_was_fetched(app: App, registry: Registry) -> None:
    sha = app.deploy("1.0")
    missing = app.until(lambda each: "ImagePullBackOff" in message(each))
    assert health(missing) == "Progressing"
    assert missing["status"]["sync"] | {"comparedTo": None} == {"status": "Synced", "revision": sha, "comparedTo": None}
    assert f'"{app.image}:1.0"' in message(missing)
    late = app.until(lambda each: health(each) == "Degraded")
    assert "exceeded its progress deadline" in message(late)
    digest = app.push("1.0")
    assert app.healthy_at(sha)["status"]["summary"]["images"] == [f"{app.image}:1.0"]
    assert f"GET /v2/{app.name}/manifests/{digest} " in registry_log(registry)


def registry_log(registry: Registry) -> str:
    # Distribution writes an access line for every request: the only witness of what was really fetched.
    return registry._process.log.read_text()


def test_a_chart_that_names_an_image_that_exists_recovers(app: App) -> None:
    app.push("good")
    app.deploy("bad")
    app.until(lambda each: "ImagePullBackOff" in message(each))
    sha = app.deploy("good")
    healthy = app.healthy_at(sha)
    assert healthy["status"]["operationState"]["phase"] == "Succeeded"
    assert healthy["status"]["operationState"]["syncResult"]["revision"] == sha


def test_no_image_of_another_registry_is_ever_had(app: App) -> None:
    app.repository.deploy(app.name, "registry.example.org/shop", "1.0")
    assert "lookup registry.example.org: no such host" in message(app.until(lambda each: health(each) == "Degraded"))


def test_an_image_of_a_registry_that_was_added_is_had_with_its_own_login(
    app: App, stand_in: ArgoCDStandIn, tmp_path: Path
) -> None:
    password = SecretStr("of the other registry alone")
    with Registry(binary(home() / "packages"), password, state=tmp_path) as other:
        with images.client(other) as http:
            images.put(http, "shop", images.manifest(http, "shop", "1.0"), "1.0")
        stand_in.reach(other.host, Login(USER, password))
        app.healthy_at(app.repository.deploy(app.name, f"{other.host}/shop", "1.0"))


def test_an_image_for_several_platforms_is_fetched_too(app: App, pushed: httpx.Client) -> None:
    inner = images.manifest(pushed, app.name, "linux")
    images.put(pushed, app.name, inner, images.digest(inner))
    entry = {"mediaType": images.MANIFEST, "size": len(inner), "digest": images.digest(inner)}
    several = {"schemaVersion": 2, "mediaType": images.INDEX, "manifests": [entry | {"platform": {"os": "linux"}}]}
    images.put(pushed, app.name, json.dumps(several).encode(), "1.0", media_type=images.INDEX)
    app.healthy_at(app.deploy("1.0"))


def test_a_blank_tag_is_the_charts_app_version(app: App) -> None:
    app.push("1.2.2")
    assert app.healthy_at(app.deploy(""))["status"]["summary"]["images"] == [f"{app.image}:1.2.2"]


def test_a_running_operation_is_seen_and_so_is_its_end(app: App, stand_in: ArgoCDStandIn) -> None:
    app.push("1.0")
    app.healthy_at(app.deploy("1.0"))
    stand_in.lock(app.name)
    running = app.until(lambda each: each["status"]["operationState"]["phase"] == "Running")
    assert "operation" in running
    assert "finishedAt" not in running["status"]["operationState"]
    stand_in.release(app.name)
    ended = app.until(lambda each: each["status"]["operationState"]["phase"] == "Succeeded")
    assert "operation" not in ended
    assert int(ended["metadata"]["resourceVersion"]) > int(running["metadata"]["resourceVersion"])


def test_a_commit_that_changes_nothing_advances_only_the_compared_revision(app: App) -> None:
    app.push("1.0")
    sha = app.deploy("1.0")
    before = app.healthy_at(sha)["status"]
    later = app.repository.commit(
        {
            "README.md": f"a shop with {app.name}\n",
            f"src/{app.name}/chart/values.yaml": values(app.image, "1.0") + "# a comment\n",
        }
    )
    after = app.healthy_at(later)["status"]
    assert after["sync"]["status"] == "Synced"
    for field in ("operationState", "history", "health"):
        assert after[field] == before[field], field


def test_a_degraded_application_is_so_until_released(app: App, stand_in: ArgoCDStandIn) -> None:
    app.push("1.0")
    sha = app.deploy("1.0")
    app.healthy_at(sha)
    stand_in.degrade(app.name, "it crashed")
    assert message(app.until(lambda each: health(each) == "Degraded")) == "it crashed"
    stand_in.release(app.name)
    app.healthy_at(sha)


def test_an_application_goes_with_its_manifest(app: App) -> None:
    app.push("1.0")
    app.healthy_at(app.deploy("1.0"))
    events = app.events()
    next(events)
    app.repository.commit({f"argocd/applications/{app.name}.yaml": None})
    next(kind for kind, _ in events if kind == "DELETED")
    assert app.now()["code"] == 5


def test_a_chart_that_is_not_there_is_a_comparison_error(app: App) -> None:
    app.repository.commit(application(app.name))
    broken = app.until(lambda each: "conditions" in each["status"])
    assert broken["status"]["sync"]["status"] == "Unknown"
    assert broken["status"]["conditions"][0]["type"] == "ComparisonError"
    app.push("1.0")
    app.healthy_at(app.repository.commit(chart(app.name, values(app.image, "1.0"))))


def test_a_refresh_compares_at_once_though_an_operation_ends_then(
    repository: Repository, registry: Registry, tmp_path: Path, app: App
) -> None:
    first = app.deploy("1.0")
    slow = Following(("main",), poll=3600, tick=3600, timing=Timing(0))  # nothing happens unless it is asked for
    with (
        ArgoCDStandIn(repository.folder.as_uri(), registry.host, slow, state=tmp_path) as stand_in,
        ArgoCD(stand_in.url, stand_in.token) as client,
    ):
        second = app.deploy("2.0")
        assert client.application(app.name, "shop").revisions == (first,)
        assert client.application(app.name, "shop", refresh=True).revisions == (second,)


def test_errors_are_argo_cds(app: App, http: httpx.Client, stand_in: ArgoCDStandIn, argocd: ArgoCD) -> None:
    app.push("1.0")
    app.healthy_at(app.deploy("1.0"))
    assert httpx.get(f"{stand_in.url}/api/v1/applications", trust_env=False).status_code == 401
    assert http.get("/api/v1/applications/none").json()["code"] == 7
    missing = http.get("/api/v1/applications/none", params={"project": "shop"})
    assert (missing.status_code, missing.json()["code"]) == (404, 5)
    assert set(missing.json()) == {"error", "code", "message", "details"}
    with pytest.raises(Terminal, match="404"):
        argocd.application(app.name, "another-project")
    with pytest.raises(Terminal, match="auto-sync currently set to main"):
        argocd.sync(app.name, "shop", revision="a" * 40)
    stand_in.break_down(1)
    with pytest.raises(Transient, match="503"):
        argocd.application(app.name, "shop")
    assert argocd.application(app.name, "shop").health_status == "Healthy"
    assert argocd.version().startswith("v3.")


def test_a_locked_application_takes_no_operation(app: App, stand_in: ArgoCDStandIn, argocd: ArgoCD) -> None:
    app.push("1.0")
    sha = app.deploy("1.0")
    app.healthy_at(sha)
    stand_in.lock(app.name)
    with pytest.raises(Transient, match="another operation is already in progress"):
        argocd.sync(app.name, "shop")
    stand_in.release(app.name)
    app.until(lambda each: "operation" not in each)
    assert argocd.sync(app.name, "shop").requested


def test_an_application_without_auto_sync_waits_to_be_told(app: App, argocd: ArgoCD) -> None:
    app.push("1.0")
    sha = app.repository.deploy(app.name, app.image, "1.0", automated=False)
    waiting = app.until(lambda each: each["status"]["sync"]["status"] == "OutOfSync")
    assert health(waiting) == "Missing"
    argocd.sync(app.name, "shop", revision=sha)
    app.healthy_at(sha)


def test_all_applications_are_listed(app: App, http: httpx.Client) -> None:
    app.push("1.0")
    app.healthy_at(app.deploy("1.0"))
    listed = http.get("/api/v1/applications", params={"projects": "shop"}).json()["items"]
    assert app.name in {each["metadata"]["name"] for each in listed}
    assert http.get("/api/v1/applications", params={"projects": "none"}).json()["items"] is None


def test_no_secret_is_in_the_process_list(stand_in: ArgoCDStandIn, registry: Registry) -> None:
    process = Path("/proc") / str(stand_in._process.pid)
    shown = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
    for secret in (stand_in.token, registry.password):
        assert secret.get_secret_value().encode() not in shown
