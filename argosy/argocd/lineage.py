"""How a revision that Argo CD compared stands to the commit that wrote a service's reference."""

from __future__ import annotations

from collections.abc import Callable

from argosy import state
from argosy.argocd.judgement import Relation
from argosy.errors import ArgosyError
from argosy.gitops.mirror import Mirror
from argosy.models import SHA, ImageReference, Service


def relation_to(mirror: Mirror, commit: str, service: Service, reference: ImageReference) -> Callable[[str], Relation]:
    """A function from a revision of the target to where it stands; unknown revisions are fetched once each."""
    known: dict[str, Relation] = {}

    def relation_of(revision: str) -> Relation:
        if revision not in known:
            known[revision] = _relation(mirror, revision, commit, service, reference)
        return known[revision]

    return relation_of


def _relation(mirror: Mirror, revision: str, commit: str, service: Service, reference: ImageReference) -> Relation:
    if not SHA.fullmatch(revision):
        return Relation.BEFORE
    if not mirror.git.is_commit(revision):
        mirror.update()
    if not mirror.git.is_commit(revision) or not mirror.git.is_ancestor(commit, revision):
        return Relation.BEFORE
    try:
        carried = state.current_reference(mirror.git, revision, service)
    except ArgosyError:  # the file is gone or broken there: it carries ours no more
        return Relation.SUPERSEDED
    return Relation.CARRIES if carried == reference else Relation.SUPERSEDED
