"""A registry's answer, asked for again while it may yet be another: what comes and goes within seconds."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime

import httpx
from tenacity import RetryCallState, Retrying

from argosy.errors import Unwell
from argosy.processes import cancellation
from argosy.registries.errors import passing
from argosy.resilience import Retry

LONGEST = 60.0
"""Seconds: a registry that wants to be left alone for longer is asked again all the same, or by the stage's retry."""

_JITTER = 0.25


def answered(attempt: Callable[[], httpx.Response], retry: Retry, given_up: Callable[[], bool]) -> httpx.Response:
    """The first answer of `attempt` that is neither 408, 429 nor 5xx, or its last answer; waits as the registry says.

    What is no answer (Unwell) is tried again too, and raised at last. No attempt is made once `given_up` says so.
    Raises Cancelled at once, waiting or not, where the run is to end.
    """
    retrying = Retrying(
        sleep=cancellation.sleep,
        stop=lambda state: state.attempt_number >= retry.max_attempts or given_up(),
        wait=lambda state: _delay(state, retry),
        retry=_may_pass,
        retry_error_callback=_last,
    )
    return retrying(attempt)


def said(headers: httpx.Headers, now: float) -> float | None:
    """The seconds from `now`, in seconds since 1970, that `Retry-After` asks to wait; None where it says nothing."""
    text = headers.get("retry-after", "").strip()
    if text.isdecimal() and text.isascii():
        return float(text[:9])
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - now)
    except (ValueError, TypeError, OverflowError):
        return None


def _may_pass(state: RetryCallState) -> bool:
    outcome = state.outcome
    assert outcome is not None  # noqa: S101 - tenacity asks after an attempt
    return isinstance(outcome.exception(), Unwell) if outcome.failed else passing(outcome.result().status_code)


def _last(state: RetryCallState) -> httpx.Response:
    assert state.outcome is not None  # noqa: S101 - tenacity asks after an attempt
    answer: httpx.Response = state.outcome.result()
    return answer


def _delay(state: RetryCallState, retry: Retry) -> float:
    """At least what the registry said, up to a bound; jittered, as those that were refused together come back so."""
    outcome = state.outcome
    wanted = said(outcome.result().headers, time.time()) if outcome and not outcome.failed else None
    spread = random.uniform(0, _JITTER)  # noqa: S311 - no secret
    if wanted is not None:
        return min(wanted, LONGEST) * (1 + spread)
    return retry.delay(state.attempt_number) * (1 + 2 * spread - _JITTER)
