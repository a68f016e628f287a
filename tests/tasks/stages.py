"""The stages of a release one after the other, by hand."""

from __future__ import annotations

from collections.abc import Sequence

from argosy.models import BuildResult, Plan, ServicePlan, WriteBack
from tasks.build import build
from tasks.ensure_repository import ensure_home
from tasks.plan import make_plan
from tasks.resolve import resolve
from tasks.workspace import Workspace
from tasks.write_back import write_back
from tests.hosted import SERVICES, HostedShop

ENVIRONMENT = "dev"


def planned(shop: HostedShop, services: Sequence[str] = (), *, adopt: bool = False) -> Plan:
    """The plan for the tip of main."""
    resolved = resolve.fn(shop.name, ENVIRONMENT, None)
    return make_plan.fn(shop.name, ENVIRONMENT, resolved, tuple(services), adopt)


def ensure(shop: HostedShop, item: ServicePlan) -> None:
    """See to the repository of a service, as the build stage does before anything else."""
    ensure_home(Workspace.open(shop.name, ENVIRONMENT, shop.head), shop.head, item.service)


def reused(shop: HostedShop, plan: Plan) -> list[BuildResult]:
    """What the build stage makes of the services that the registry has images of."""
    return [build.fn(shop.name, ENVIRONMENT, plan.source_sha, item) for item in plan.to_write]


def adopt(shop: HostedShop) -> WriteBack:
    """Adopt the shop with images that were there already; the work tree is on the release commit then."""
    for service in SERVICES:
        shop.image(service)
    plan = planned(shop, adopt=True)
    written = write_back.fn(shop.name, plan, reused(shop, plan))
    shop.run("pull", "-q", "origin", "main")
    return written
