"""The retail store on the embedded stack: what its developers do, what a release came to, and where that shows."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from argosy import plan as planning
from argosy import state
from argosy.argocd.applications import Application
from argosy.argocd.client import ArgoCD
from argosy.environment import Environment
from argosy.inputs.digests import Digests, environment_at
from argosy.models import ImageReference, Plan, State
from argosy.notes import Verified
from argosy.notes import ref as notes_ref
from argosy.notes import verified as verified_in
from argosy.registries.registry import Registry, RegistryCredentials
from argosy.standing import look
from deployments.local.aws import session
from deployments.local.prefect_api import FlowRun
from deployments.local.registry import USER
from deployments.local.stack import Stack

if TYPE_CHECKING:
    from mypy_boto3_ecr import ECRClient

DEPLOYMENT, ENVIRONMENT, BRANCH = "release/prod", "prod", "main"
SERVICES = ("ui", "cart", "catalog", "checkout", "orders")
_HEAD = f"refs/heads/{BRANCH}"
_PROJECT = "retail-store"
_PATIENCE = 150.0


class Store:
    """The store, its environment `prod` and the doors into everything that a release touches; closed by `with`."""

    def __init__(self, stack: Stack) -> None:
        self.stack, self.origin, self.developer = stack, stack.origin, stack.developer
        self.planted = self.origin.text("rev-list", "--max-parents=0", _HEAD).strip()
        self._open = ExitStack()
        self.api = self._open.enter_context(stack.api)
        self.argocd = self._open.enter_context(ArgoCD(stack.argocd.url, stack.argocd.token))
        login = RegistryCredentials(USER, stack.registry.password)
        self.registry = self._open.enter_context(Registry(stack.registry_host, login))
        client = session(stack.aws.key).client("ecr", endpoint_url=stack.aws.endpoint_url)
        self.ecr: ECRClient = self._open.enter_context(closing(client))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    # What developers do

    def change(self, *services: str, **files: str) -> str:
        """Push a commit after which the content of `services` is like none before, and return its SHA."""
        self._refresh()
        mark = uuid.uuid4().hex
        sources = {f"src/{name}/serve": self.read(f"src/{name}/serve") + f"# {mark}\n" for name in services}
        return self.developer.commit(f"Change {', '.join(services)}", {**sources, **files}, BRANCH)

    def revert(self, commit: str) -> str:
        """Push a commit that takes back `commit`, and return its SHA."""
        self._refresh()
        self.developer.git("revert", "--no-edit", commit)
        self.developer.git("push", "--quiet", "origin", f"HEAD:{_HEAD}")
        return self.head

    def read(self, path: str) -> str:
        """A file at the tip of main."""
        return (self.origin.file(self.head, path) or b"").decode()

    def _refresh(self) -> None:
        self.developer.git("fetch", "--quiet", "origin", BRANCH)
        self.developer.git("checkout", "--quiet", "-B", BRANCH, "FETCH_HEAD")

    # The state that a test begins with

    def forget(self) -> None:
        """Make the store one that Argosy never released, with content that no registry has."""
        self.origin.run("update-ref", _HEAD, self.planted)
        self.origin.run("update-ref", "-d", notes_ref(ENVIRONMENT))
        self.change(*SERVICES)

    def settle(self) -> None:
        """See that the tip of main is released and verified: Argosy then has nothing to do."""
        plan = self.plan()
        unknown = bool(plan.with_state(State.UNKNOWN))
        if plan.nothing_to_do and not unknown:
            return
        run = self.release(adopt=unknown)
        if run.state != "COMPLETED":
            self.forget()
            run = self.release(adopt=True)
        assert (run.state, self.plan().nothing_to_do) == ("COMPLETED", True), run.message

    # Releases

    def release(self, **parameters: Any) -> FlowRun:
        """Ask for a run of `release/prod`, as a push would, and wait for its end."""
        return self.api.wait(self.api.create_flow_run(DEPLOYMENT, parameters).id, _PATIENCE)

    def planned(self, run: FlowRun) -> dict[str, str]:
        """The state that the run's plan gave each service."""
        return self._table(run, f"plan-{ENVIRONMENT}", "state")

    def results(self, run: FlowRun) -> dict[str, str]:
        """What the run's report says each service came to."""
        return self._table(run, f"release-{ENVIRONMENT}", "result")

    def _table(self, run: FlowRun, key: str, column: str) -> dict[str, str]:
        [artifact] = [each for each in self.api.artifacts(run.id) if each["key"] == key]
        return {row["service"]: row[column] for row in json.loads(artifact["data"])}

    def builds(self, run: FlowRun | str) -> set[str]:
        """The services that the run, or the one of that id, started a build of: each leaves its log."""
        folder = self.stack.state / "cache" / "runs" / (run if isinstance(run, str) else run.id)
        return {log.stem.removeprefix("build-") for log in folder.glob("build-*.log")}

    # Where a release shows

    @property
    def head(self) -> str:
        """The tip of main."""
        return self.origin.ref(_HEAD) or ""

    @property
    def refs(self) -> str:
        """Every ref of the repository and where it points."""
        return self.origin.text("for-each-ref", "--format=%(refname) %(objectname)")

    @property
    def environment(self) -> Environment:
        """The environment as the tip of main describes it."""
        return environment_at(self.origin, self.head, ENVIRONMENT)

    def since(self, commit: str) -> list[str]:
        """The commits on main after `commit`, the newest first."""
        return self.origin.text("rev-list", f"{commit}..{self.head}").split()

    def files(self, commit: str) -> set[str]:
        """The files that `commit` changed."""
        return set(self.origin.text("diff-tree", "-r", "--no-commit-id", "--name-only", commit).split())

    def references(self) -> dict[str, ImageReference]:
        """What each chart names."""
        return {each.name: state.current_reference(self.origin, self.head, each) for each in self.environment.services}

    def verified(self) -> frozenset[Verified]:
        """What the notes say was healthy."""
        return verified_in(self.origin, ENVIRONMENT)

    def signed(self, commit: str) -> bool:
        """Whether `commit` carries a good signature by the stack's key."""
        with TemporaryDirectory() as folder:
            signers = Path(folder) / "signers"
            signers.write_text(self.stack.signing_key.allowed_signers(self.stack.bot_email))
            trust = f"gpg.ssh.allowedSignersFile={signers}"
            return self.origin.ok("-c", "gpg.format=ssh", "-c", trust, "verify-commit", commit)

    def application(self, service: str) -> Application:
        """The service's application, looked at anew."""
        name = self.environment.service(service).application or ""
        return self.argocd.application(name, _PROJECT, refresh=True)

    @contextmanager
    def hanging(self, service: str) -> Iterator[None]:
        """Keep the service's application Progressing."""
        name = self.environment.service(service).application or ""
        self.stack.argocd.hang(name)
        try:
            yield
        finally:
            self.stack.argocd.release(name)

    @contextmanager
    def failing_syncs(self, service: str, message: str) -> Iterator[None]:
        """Let the syncs of the service's application fail with `message`."""
        name = self.environment.service(service).application or ""
        self.stack.argocd.fail(name, message)
        try:
            yield
        finally:
            self.stack.argocd.release(name)

    def digest(self, service: str, tag: str) -> str | None:
        """The manifest that the registry has under `tag`."""
        return self.registry.digest_of(self.environment.service(service).ecr_repository, tag)

    def tags(self, service: str) -> Mapping[str, str]:
        """The manifest that each tag points at, as ECR's describe_images tells it."""
        repository = self.environment.service(service).ecr_repository
        images = self.ecr.describe_images(repositoryName=repository)["imageDetails"]
        return {tag: image["imageDigest"] for image in images for tag in image.get("imageTags", ())}

    def plan(self) -> Plan:
        """What a release of the tip of main would do, from git alone."""
        git, head, environment = self.origin, self.head, self.environment
        situation = look(Digests(git, environment), head, head, datetime.now(UTC))
        return planning.make(environment, situation, adopt=False)
