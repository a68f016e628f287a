"""The demo: a whole stack, three releases on it, and the proof of what they claim."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from argosy.cli.screen import failed
from argosy.config import FILE, load
from argosy.errors import ArgosyError, Terminal
from deployments.local.borrowed import borrowed
from deployments.local.demo import proofs
from deployments.local.demo.proofs import Evidence, Release
from deployments.local.demo.screen import Screen
from deployments.local.prefect_api import FlowRun, PrefectApi
from deployments.local.seed import EXAMPLE
from deployments.local.stack import Stack
from deployments.local.up import running, stay

DEPLOYMENTS = ("release/dev", "release/prod")
_UI, _CART = "src/ui/templates/index.html", "src/cart/cgi-bin/index.cgi"
_EDITS = {
    _UI: ("Welcome aboard", "The winter sale is on"),
    _CART: ("The cart service.", "The cart service, now with room for lanterns."),
}


def demonstrate(source: Path | None, *, keep: bool, environment: str | None) -> int:
    """Show a release of `source` (the example unless given), and prove it.

    It goes to `environment`, else to prod or, where there is none, to the last that its `argosy.yaml` names. Returns 0;
    raises ArgosyError when a run does not end as it should, or a claim is false. With `keep` everything runs on until
    somebody has seen enough, in either case.
    """
    began, screen = time.monotonic(), Screen(Console())
    with ExitStack() as held:
        files = held.enter_context(borrowed(source, environment)) if source else EXAMPLE
        screen.chapter("The stack", "Every part of a release's world, on this machine alone.")
        stack = held.enter_context(running(Stack(files, tell=screen.part), screen.console))
        if keep:
            held.enter_context(_kept(stack, screen, began))
        _tell(Story(stack, screen, environment or _environment(stack)), own=source is not None)
    if not keep:
        words = f"It took {time.monotonic() - began:.0f} s; everything is stopped and removed."
        screen.chapter("The end", f"{words} `make demo KEEP=1` leaves it running.")
    return 0


@contextmanager
def _kept(stack: Stack, screen: Screen, began: float) -> Iterator[None]:
    """Leave `stack` running after the `with`, however that ended, until somebody has seen enough."""
    try:
        yield
    except ArgosyError as error:
        failed(error, as_json=False)
        stay(stack, screen.console)
        raise
    screen.chapter("The end", f"It took {time.monotonic() - began:.0f} s, and runs on.")
    with stack.api as api:
        for deployment in DEPLOYMENTS:
            api.resume_schedules(deployment)
    stay(stack, screen.console)


def _tell(story: Story, *, own: bool) -> None:
    stack = story.stack
    story.screen.console.print(f"  Watch it on the dashboard: [bold]{stack.prefect.ui_url}[/]")
    with stack.api as api:
        for deployment in DEPLOYMENTS:  # the story asks for its own runs, one after the other
            api.pause_schedules(deployment)
    story.adopt()
    if not own:
        story.change_two_services()
    story.change_nothing()


def _environment(stack: Stack) -> str:
    names = list(load((stack.developer.path / FILE).read_bytes()).environments)
    return "prod" if "prod" in names else names[-1]


@dataclass(frozen=True, slots=True)
class Story:
    """The chapters, told on `screen`."""

    stack: Stack
    screen: Screen
    environment: str

    def adopt(self) -> None:
        """The first release takes over every service."""
        self.screen.chapter(
            "1. Adoption", "The charts name images that nothing here explains. A run with adopt takes all of them over."
        )
        self._release("adopt", adopt=True)
        release = Release.at_head(self.stack, self.environment)
        every = {service.name for service in release.environment.services}
        self._prove(release, proofs.releases(release, every), *self._always(release))

    def change_two_services(self) -> None:
        """A commit changes two services of the example and a README."""
        self.screen.chapter(
            "2. A push", "A developer's commit changes ui, cart and a README. GitHub Actions would post it like this."
        )
        sha = self._commit()
        run = self._release("push", source_sha=sha, trigger={"type": "push", "branch": "main", "commit_sha": sha})
        again = self._post("push", source_sha=sha)
        release = Release.at_head(self.stack, self.environment)
        untouched = {service.name: ("unchanged", "untouched") for service in release.environment.services}
        self._prove(
            release,
            proofs.releases(release, {"ui", "cart"}),
            proofs.came_to(self._report(run), {**untouched, **dict.fromkeys(("ui", "cart"), ("build", "healthy"))}),
            proofs.one_commit(release, sha),
            *self._always(release),
            proofs.answers(release, "ui", "/", _EDITS[_UI][1]),
            proofs.answers(release, "cart", "/cgi-bin/index.cgi", _EDITS[_CART][1]),
            proofs.one_run(run, again),
        )

    def change_nothing(self) -> None:
        """The same again finds nothing to do."""
        self.screen.chapter("3. The schedule", "The scheduled run compares, and finds nothing to do.")
        before = self.stack.origin.text("for-each-ref")
        self._release("again", trigger={"type": "schedule"})
        self.screen.proofs([proofs.nothing_written(before, self.stack.origin.text("for-each-ref"))])

    def _always(self, release: Release) -> list[Evidence]:
        environment = release.environment
        checks = [
            (environment.sign, proofs.signed),
            (True, proofs.touches_references_only),
            (all(target.type == "ecr" for target in environment.used_registries), proofs.listed_in_ecr),
            (environment.watch is not None, proofs.healthy),
        ]
        return [check(release) for asked, check in checks if asked]

    def _prove(self, release: Release, *evidence: Evidence) -> None:
        self.screen.console.print(f"release commit {release.commit[:12]}: {', '.join(release.records)}")
        self.screen.proofs(evidence)

    def _commit(self) -> str:
        files = {name: (self.stack.developer.path / name).read_text() for name in (*_EDITS, "README.md")}
        for name, (old, new) in _EDITS.items():
            files[name] = files[name].replace(old, new)
        files["README.md"] += "\nThe winter sale is on.\n"
        return self.stack.developer.commit("Open the winter sale", files, "main")

    def _post(self, attempt: str, **parameters: Any) -> FlowRun:
        asked: Mapping[str, Any] = {"environment": self.environment, **parameters}
        key = f"{self.stack.repository}:{self.environment}:{attempt}"
        with self.stack.api as api:
            # The deployment is one of prefect.yaml's; a repository of the user's may name its environments otherwise.
            own = f"release/{self.environment}"
            deployment = own if own in DEPLOYMENTS else DEPLOYMENTS[-1]
            return api.create_flow_run(deployment, asked, idempotency_key=key)

    def _release(self, attempt: str, **parameters: Any) -> FlowRun:
        run = self._post(attempt, **parameters)
        with self.stack.api as api:
            run = self.screen.follow(api, run)
        self.screen.outcome(self._report(run))
        if run.state != "COMPLETED":
            state = self.stack.state
            raise Terminal(
                f"the run ended {run.state_name}: {run.message}",
                remedy=f"see {state / 'logs' / 'worker.log'}, of builds {state / 'cache' / 'runs' / run.id}",
            )
        return run

    def _report(self, run: FlowRun) -> list[dict[str, str]]:
        with self.stack.api as api:
            return report(api, run, self.environment)


def report(api: PrefectApi, run: FlowRun, environment: str) -> list[dict[str, str]]:
    """What the run's report, on the dashboard too, says of each service; nothing where the run left none."""
    found = [each["data"] for each in api.artifacts(run.id) if each["key"] == f"release-{environment}"]
    return list(json.loads(found[-1])) if found else []
