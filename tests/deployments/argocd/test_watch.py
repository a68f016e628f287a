"""The engine's watch against the stand-in."""

from __future__ import annotations

import time
from typing import Any

from argosy.argocd.client import ArgoCD
from argosy.argocd.judgement import Relation
from argosy.argocd.verification import Subject, watch
from argosy.models import Health, ImageReference, Verdict
from deployments.local.argocd.server import ArgoCDStandIn
from tests.deployments.argocd.world import App


def watched(argocd: ArgoCD, app: App, tag: str, sha: str, **more: Any) -> Verdict:
    return watch(
        argocd,
        Subject("ui", ImageReference(app.image, tag), app.name, "shop"),
        lambda revision: Relation.CARRIES if revision == sha else Relation.BEFORE,
        clock=time.monotonic,
        sleep=time.sleep,
        timeout=20,
        stable_for=0.5,
        interval=0.1,
        **more,
    )


def test_a_watch_sees_a_release_come_up(app: App, argocd: ArgoCD) -> None:
    app.push("1.0")
    app.healthy_at(app.deploy("1.0"))
    app.push("2.0")
    sha = app.deploy("2.0")
    verdict = watched(argocd, app, "2.0", sha)
    assert (verdict.health, verdict.revision) == (Health.HEALTHY, sha)


def test_a_watch_sees_a_release_degrade_and_says_why(app: App, stand_in: ArgoCDStandIn, argocd: ArgoCD) -> None:
    app.push("1.0")
    app.healthy_at(app.deploy("1.0"))
    stand_in.degrade(app.name, "it crashes at start", image=":2.0")
    app.push("2.0")
    verdict = watched(argocd, app, "2.0", app.deploy("2.0"))
    assert verdict.health is Health.DEGRADED
    assert "it crashes at start" in verdict.reason


def test_a_failed_sync_is_tried_again_by_the_next_watch_and_not_by_itself(
    app: App, stand_in: ArgoCDStandIn, argocd: ArgoCD
) -> None:
    app.push("1.0")
    app.healthy_at(app.deploy("1.0"))
    stand_in.fail(app.name, "one or more objects failed to apply")
    app.push("2.0")
    sha = app.deploy("2.0")
    verdict = watched(argocd, app, "2.0", sha)
    assert verdict.health is Health.FAILED
    assert "one or more objects failed to apply" in verdict.reason
    stand_in.release(app.name)
    assert argocd.application(app.name, "shop", refresh=True).sync_status == "OutOfSync"
    assert watched(argocd, app, "2.0", sha).health is Health.HEALTHY
