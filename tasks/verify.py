"""The eighth stage: Argo CD brings the new references up, and what it says is put on record."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from argosy import notes
from argosy.argocd import verification
from argosy.argocd.lineage import relation_to
from argosy.errors import ConfigurationError
from argosy.models import Awaited, Health, Verdict
from argosy.processes import cancellation
from argosy.redact import redact
from tasks.policy import stage
from tasks.workspace import Workspace, now, run_id


@stage("verify", run_name="verify {awaited.name}", service="awaited")
def verify(repository: str, environment: str, source_sha: str, awaited: Awaited) -> Verdict:
    """Watch the service's application until it is healthy with this reference, stable, or will not be."""
    work = Workspace.open(repository, environment, source_sha)
    watch, application = work.environment.watch, awaited.service.application
    if watch is None or application is None:
        raise ConfigurationError("argosy.yaml has no argocd section", service=awaited.name, remedy="add one")
    with work.argocd().client() as server:
        verdict = verification.watch(
            server,
            verification.Subject(awaited.name, awaited.reference, application, watch.project),
            relation_to(work.mirror, awaited.commit, awaited.service, awaited.reference),
            clock=time.monotonic,
            sleep=cancellation.sleep,
            timeout=watch.timeout,
            stable_for=watch.stable_for,
        )
    # Argo CD quotes what it was answered, and the reason goes into a note that everybody can fetch.
    return replace(verdict, reason=redact(verdict.reason))


@stage("record verdicts", run_name="record verdicts {environment}", timeout=900)
def record_verdicts(
    repository: str, environment: str, source_sha: str, awaited: Sequence[Awaited], verdicts: Sequence[Verdict]
) -> str | None:
    """Put each verdict into the notes of the commit that wrote its reference; return the notes commit."""
    work = Workspace.open(repository, environment, source_sha)
    by_service = {verdict.service: verdict for verdict in verdicts if verdict.health is not Health.SUPERSEDED}
    lines = defaultdict(list)
    for item in awaited:
        if item.name in by_service:
            line = notes.line(by_service[item.name], item.manifest_digest, run_id(), now())
            lines[item.commit].append(line)
    return work.writer().record(lines) if lines else None
