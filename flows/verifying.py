"""The end of every run that wrote references: the tags move while Argo CD is watched, and verdicts are recorded."""

from __future__ import annotations

from collections.abc import Sequence

from prefect import unmapped

from argosy.models import Awaited, Verdict
from argosy.resilience import Retry
from flows.futures import Settled, sentence, settle
from tasks.policy import patient
from tasks.tags import move_tags
from tasks.verify import record_verdicts, verify


def verified(
    where: tuple[str, str, str], retry: Retry, awaited: list[Awaited], released: Sequence[str]
) -> tuple[Settled[Verdict], tuple[str, ...]]:
    """The verdict on each of `awaited`, all watched at once, and what went wrong beside the services.

    `where` is the repository's block, the environment and the source commit; `latest` follows the `released` services.
    """
    tags = patient(move_tags, retry).submit(*where, tuple(released))
    watched = patient(verify, retry).map(*(unmapped(each) for each in where), awaited) if awaited else []
    verdicts = settle([item.name for item in awaited], watched)
    record = patient(record_verdicts, retry)
    states = [record(*where, awaited, list(verdicts.values.values()), return_state=True)] if awaited else []
    tags.wait()
    return verdicts, tuple(sentence(state) for state in [tags.state, *states] if not state.is_completed())
