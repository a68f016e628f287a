"""The demo: a whole stack, three releases on it, and the proof of what they claim."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from argosy.config import FILE, load
from argosy.errors import Terminal
from deployments.local.demo import proofs
from deployments.local.demo.proofs import Evidence, Release
from deployments.local.demo.screen import Screen
from deployments.local.prefect_api import FlowRun
from deployments.local.seed import EXAMPLE
from deployments.local.stack import Stack
from deployments.local.up import addresses, wait_for_interrupt

DEPLOYMENTS = ("release/dev", "release/prod")
_UI, _CART = "src/ui/templates/index.html", "src/cart/cgi-bin/index.cgi"
_EDITS = {
    _UI: ("Welcome aboard", "The winter sale is on"),
    _CART: ("The cart service.", "The cart service, now with room for lanterns."),
}


def demonstrate(source: Path | None, *, keep: bool, environment: str | None) -> int:
    """Show a release of `source` (the example unless given), and prove it.

    It goes to `environment`, else to prod or, where there is none, to the last that its `argosy.yaml` names. Returns 0;
    raises ArgosyError when a run does not end as it should, or a claim is false.
    """
    screen = Screen(Console())
    screen.chapter("The stack", "Every part of a release's world, on this machine alone.")
    stack = Stack(source or EXAMPLE, tell=screen.part)
    screen.starting(stack.start)()
    try:
        screen.console.print(f"  Watch it on the dashboard: [bold]{stack.prefect.ui_url}[/]")
        with stack.api as api:
            for deployment in DEPLOYMENTS:  # the story asks for its own runs, one after the other
                api.pause_schedules(deployment)
        story = Story(stack, screen, environment or _environment(stack))
        story.adopt()
        if source is None:
            story.change_two_services()
        story.change_nothing()
        if keep:
            with stack.api as api:
                for deployment in DEPLOYMENTS:
                    api.resume_schedules(deployment)
            screen.console.print(addresses(stack))
            wait_for_interrupt(screen.console)
        else:
            screen.chapter("The end", "Everything is stopped and removed. `make demo KEEP=1` leaves it running.")
    finally:
        stack.stop()
    return 0


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
        self._prove(release, *self._always(release))

    def change_two_services(self) -> None:
        """A commit changes two services of the example and a README."""
        self.screen.chapter(
            "2. A push", "A developer's commit changes ui, cart and a README. GitHub Actions would post it like this."
        )
        sha = self._commit()
        run = self._release("push", source_sha=sha, trigger={"type": "push", "branch": "main", "commit_sha": sha})
        again = self._post("push", source_sha=sha)
        proofs.hold(again.id == run.id, "the same push posted twice is one run", again.id)
        release = Release.at_head(self.stack, self.environment)
        proofs.hold(set(release.records) == {"ui", "cart"}, "two services are released", sorted(release.records))
        twice = Evidence("the same push posted twice is one run", f"both answers name {run.id[:8]}")
        page = proofs.answers(release, "ui", "/", _EDITS[_UI][1])
        text = proofs.answers(release, "cart", "/cgi-bin/index.cgi", _EDITS[_CART][1])
        self._prove(release, *self._always(release), page, text, twice)

    def change_nothing(self) -> None:
        """The same again finds nothing to do."""
        self.screen.chapter("3. The schedule", "The scheduled run compares, and finds nothing to do.")
        before = self.stack.origin.text("for-each-ref")
        self._release("again", trigger={"type": "schedule"})
        after = self.stack.origin.text("for-each-ref")
        proofs.hold(before == after, "a run with nothing to do writes nothing", "the repository moved")
        self.screen.proofs([Evidence("a run with nothing to do writes nothing", "every ref is where it was")])

    def _always(self, release: Release) -> list[Evidence]:
        checks = [proofs.touches_references_only, proofs.listed_in_ecr, proofs.healthy]
        if release.environment.sign:
            checks.insert(0, proofs.signed)
        return [check(release) for check in checks]

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
            self.screen.outcome(api.artifacts(run.id))
        if run.state != "COMPLETED":
            raise Terminal(f"the run ended {run.state_name}: {run.message}", remedy=f"see {self.stack.state / 'logs'}")
        return run
