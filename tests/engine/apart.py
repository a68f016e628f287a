"""A shop whose charts lie in a repository of their own, for the tests of the engine: two remotes, and a writer."""

from __future__ import annotations

from pathlib import Path

from argosy.environment import Environment
from argosy.gitops.apart import ApartMirror
from argosy.gitops.commits import Identity
from argosy.gitops.mirror import Mirror
from argosy.gitops.remote import Remote
from argosy.gitops.writer import Writer
from argosy.inputs.digests import Digests
from argosy.models import ImageReference, Plan, Release, ServicePlan
from argosy.plan import make
from argosy.standing import Presence, look
from tests.engine.shop import VALUES, Shop, image, run
from tests.engine.target import NOW

DEV = "target: {branch: main, values: values-dev.yaml}"
APART = 'target: {branch: main, repository: charts, chart: "charts/{service}", values: values-dev.yaml}'


def values(service: str) -> str:
    return f"charts/{service}/values-dev.yaml"


class Apart:
    """A shop, the repository of its charts, whose branch is called main as well, and a writer to that."""

    def __init__(self, folder: Path, shop: Shop) -> None:
        self.shop, self.home = shop, folder / "home"
        shop.configure(DEV, APART)
        (folder / "charts").mkdir()
        self.charts = Shop(folder / "charts")
        files = {values(service): VALUES.replace("{service}", service) for service in ("ui", "cart")}
        self.charts.commit("Lay out the charts", files)
        self.source = Mirror(self.home, Remote(str(shop.origin)))
        self.source.update()
        self.mirror = ApartMirror(self.home, Remote(str(self.charts.origin)), self.source)
        self.mirror.update()

    @property
    def environment(self) -> Environment:
        return self.shop.environment("dev")

    def writer(self, name: str = "run-1", **how: object) -> Writer:
        identity = Identity("Argosy", "argosy@example.com")
        return Writer(self.mirror, self.environment, identity, name, lambda: NOW, source=self.source)

    def release(self, service: str = "ui", sha: str | None = None) -> Release:
        sha = sha or self.shop.head
        content = self.shop.digests(sha).desired(sha)[service]
        expected = ImageReference(f"public.example/shop-{service}", "1.0")
        return Release(self.environment.service(service), expected, image(service, sha), content, "sha256:" + "b" * 64)

    def adopted(self) -> str:
        """The release commit that adopts the environment with both services at the shop's head."""
        releases = [self.release("ui"), self.release("cart")]
        made = self.writer().write_back(self.shop.head, releases, adopt=True).commit
        assert made
        return made

    def planned(self) -> Plan:
        """The plan of a run that is up to date with both remotes."""
        self.source.update()
        self.mirror.update()
        tip = self.source.branch("main")
        digests = Digests(self.mirror.git, self.environment)
        situation = look(digests, tip, self.mirror.branch("main"), NOW, tip)
        present = Presence(content=True, current=True)
        return make(self.environment, situation.asked({"ui": present, "cart": present}), adopt=False)

    def states(self) -> dict[str, str]:
        return {item.name: item.state.value for item in self.planned().services}

    def of(self, service: str) -> ServicePlan:
        return next(item for item in self.planned().services if item.name == service)

    def read(self, path: str) -> str:
        """A file at the tip of the charts' main."""
        return run("-C", str(self.charts.origin), "show", f"main:{path}")

    def subjects(self) -> list[str]:
        """Those of the charts' main, the newest first."""
        return run("-C", str(self.charts.origin), "log", "--format=%s", "main").splitlines()
