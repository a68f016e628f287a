"""What the demo claims, each looked up where it would show if it were false."""

from __future__ import annotations

import difflib
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import httpx
from ruamel.yaml import YAML

from argosy import notes, trailers
from argosy.argocd.client import ArgoCD
from argosy.environment import Environment
from argosy.errors import Terminal
from argosy.inputs.digests import environment_at
from argosy.models import ImageReference
from argosy.trailers import ReleaseRecord
from deployments.local.aws import session
from deployments.local.demo.containers import container
from deployments.local.prefect_api import FlowRun
from deployments.local.stack import Stack

if TYPE_CHECKING:
    from mypy_boto3_ecr.client import ECRClient

_PATIENCE = 30.0


class ClaimFalse(Terminal):
    """Something that the demo said is not so."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A claim that held, and what was seen."""

    claim: str
    seen: str


@dataclass(frozen=True, slots=True)
class Release:
    """A release commit on the target branch, and what its trailers say of each service."""

    stack: Stack
    environment: Environment
    commit: str
    records: Mapping[str, ReleaseRecord]

    @classmethod
    def at_head(cls, stack: Stack, environment: str) -> Release:
        """The release whose commit is the target branch's head. Raises ClaimFalse when that is no release."""
        git = stack.origin
        described = environment_at(git, stack.developer.git("rev-parse", "HEAD"), environment)
        head = git.ref(f"refs/heads/{described.target_branch}") or ""
        records = {r.service: r for r in trailers.records(git, head, environment) if r.commit == head}
        hold(bool(records), f"the head of {described.target_branch} is a release commit", head)
        return cls(stack, described, head, records)

    def image(self, service: str) -> ImageReference:
        """The reference that the release wrote for `service`."""
        return self.environment.image(self.environment.service(service), self.records[service].source_sha)


def hold(true: bool, claim: str, seen: object) -> None:
    """Go on where `claim` is true; raises ClaimFalse with what was `seen` where it is not."""
    if not true:
        raise ClaimFalse(f"false: {claim}; seen: {seen}", remedy="report it: the demo claims what Argosy promises")


def releases(release: Release, services: set[str]) -> Evidence:
    """The release commit's trailers name `services`, and no others."""
    claim = f"{len(services)} services are released"
    hold(set(release.records) == services, claim, sorted(release.records))
    return Evidence(claim, ", ".join(release.records))


def came_to(report: Sequence[Mapping[str, str]], expected: Mapping[str, tuple[str, str]]) -> Evidence:
    """The run's own report gives each service the state and the result that it is `expected` to have."""
    found = {row["service"]: (row["state"], row["result"]) for row in report}
    words = Counter(state for state, _ in expected.values())
    claim = f"{words['build']} are built, {words['unchanged']} are untouched"
    hold(found == dict(expected), claim, found)
    return Evidence(claim, "the run's report")


def one_commit(release: Release, source: str) -> Evidence:
    """The release commit is all that lies on `source`."""
    claim = "all of it is one commit on top of the developer's"
    since = release.stack.origin.text("rev-list", f"{source}..refs/heads/{release.environment.target_branch}").split()
    hold(since == [release.commit], claim, since)
    return Evidence(claim, f"{source[:12]}..{release.commit[:12]}")


def one_run(first: FlowRun, again: FlowRun) -> Evidence:
    """What was posted again answered with the first run."""
    claim = "the same push posted twice is one run"
    hold(first.id == again.id, claim, again.id)
    return Evidence(claim, f"both answers name {first.id[:8]}")


def nothing_written(before: str, after: str) -> Evidence:
    """The references of the repository, as git lists them, are the same."""
    claim = "a run with nothing to do writes nothing"
    hold(before == after, claim, "the repository moved")
    return Evidence(claim, "every ref is where it was")


def signed(release: Release) -> Evidence:
    """The release commit is signed by the stack's key, and verifies."""
    claim = "the release commit is signed and verifies"
    with tempfile.NamedTemporaryFile("w", suffix=".signers") as signers:
        signers.write(release.stack.signing_key.allowed_signers(release.stack.bot_email))
        signers.flush()
        settings = ["-c", "gpg.format=ssh", "-c", f"gpg.ssh.allowedSignersFile={signers.name}"]
        verified = release.stack.origin.ok(*settings, "verify-commit", release.commit)
    hold(verified, claim, release.commit)
    return Evidence(claim, f"git verify-commit {release.commit[:12]}: good")


def touches_references_only(release: Release) -> Evidence:
    """The commit's difference is the `image.repository` and `image.tag` lines of its services, and nothing else."""
    claim = "its diff touches only image.repository and image.tag of those services"
    git, parent = release.stack.origin, f"{release.commit}~1"
    changed = git.text("diff", "--name-only", parent, release.commit).splitlines()
    values = {release.environment.service(name).values_path for name in release.records}
    hold(set(changed) == values, claim, changed)
    lines = 0
    for file in changed:
        before, after = git.file(parent, file) or b"", git.file(release.commit, file) or b""
        keys = {key for key, value in _flat(after).items() if _flat(before).get(key) != value}
        hold(keys <= {"image.repository", "image.tag"} and _flat(before).keys() == _flat(after).keys(), claim, keys)
        edited = _edited_lines(before, after)
        hold(edited <= 2, claim, f"{edited} lines of {file}")
        lines += edited
    return Evidence(claim, f"{lines} lines in {len(changed)} files")


def _flat(text: bytes) -> dict[str, Any]:
    yaml = YAML(typ="safe")
    yaml.allow_duplicate_keys = True  # real charts have some

    def walk(value: Any, path: tuple[str, ...]) -> None:
        if isinstance(value, Mapping):
            for key, item in value.items():
                walk(item, (*path, str(key)))
        else:
            found[".".join(path)] = value

    found: dict[str, Any] = {}
    walk(yaml.load(text), ())
    return found


def _edited_lines(before: bytes, after: bytes) -> int:
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    return sum(max(i2 - i1, j2 - j1) for tag, i1, i2, j1, j2 in matcher.get_opcodes() if tag != "equal")


def listed_in_ecr(release: Release, patience: float = _PATIENCE) -> Evidence:
    """ECR lists the SHA, `latest` and content tags of each service on one digest."""
    claim = "boto3's describe_images lists the SHA, latest and content tags on one digest"
    stack = release.stack
    with closing(session(stack.aws.key).client("ecr", endpoint_url=stack.aws.endpoint_url)) as ecr:
        for name, record in release.records.items():
            repository = release.environment.service(name).ecr_repository
            wanted = {record.source_sha, "latest", record.content.tag}
            tags = partial(_tags, ecr, repository, record.manifest_digest)
            _eventually(partial(_holds_all, wanted, tags), claim, tags, patience)
    return Evidence(claim, f"{len(release.records)} repositories, e.g. {record.manifest_digest[:19]}…")


def _tags(ecr: ECRClient, repository: str, digest: str) -> set[str]:
    images = ecr.describe_images(repositoryName=repository)["imageDetails"]
    return {tag for image in images if image["imageDigest"] == digest for tag in image.get("imageTags", ())}


def _holds_all(wanted: set[str], tags: Callable[[], set[str]]) -> bool:
    return wanted <= tags()


def _eventually(holds: Callable[[], bool], claim: str, seen: Callable[[], object], patience: float) -> None:
    deadline = time.monotonic() + patience
    while not holds():
        hold(time.monotonic() < deadline, claim, seen())
        time.sleep(0.2)


def answers(release: Release, service: str, path: str, text: str, patience: float = _PATIENCE) -> Evidence:
    """A container started from the pushed image, by its digest, answers over HTTP with `text`."""
    claim = f"a container of {service}'s pushed image answers over HTTP with the new text"
    image = f"{release.image(service).repository}@{release.records[service].manifest_digest}"
    with container(release.stack, image) as url:
        found: list[str] = []

        def answered() -> bool:
            with suppress(httpx.HTTPError):
                found[:] = [httpx.get(url + path, trust_env=False, timeout=5).text]
            return text in "".join(found)

        _eventually(answered, claim, lambda: "".join(found)[:200] or "no answer", patience)
    return Evidence(claim, f"GET {path}: {text}")


def healthy(release: Release) -> Evidence:
    """Argo CD reports each application Synced and Healthy at the release commit, and the verdict is on record."""
    claim = "Argo CD reports that revision Synced and Healthy, and the verification is on record"
    stack, watch = release.stack, release.environment.watch
    recorded = notes.verified(stack.origin, release.environment.name)
    with ArgoCD(stack.argocd.url, stack.argocd.token) as argocd:
        for name in release.records:
            application = release.environment.service(name).application or ""
            found = argocd.application(application, watch.project if watch else None)
            seen = (found.sync_status, found.health_status, found.revisions)
            hold(seen == ("Synced", "Healthy", (release.commit,)), claim, seen)
            hold(notes.Verified(name, release.image(name)) in recorded, claim, f"no healthy note for {name}")
    return Evidence(claim, f"{len(release.records)} applications at {release.commit[:12]}")
