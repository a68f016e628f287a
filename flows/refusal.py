"""How a run ends that was asked for what makes no sense, or what a policy refuses: under a name that says so."""

from __future__ import annotations

from typing import Any

from prefect.client.schemas.objects import State
from prefect.states import Failed

from argosy.errors import ArgosyError, ExitCode
from argosy.flow_runs import REFUSED, WRONG_USE
from argosy.redact import redact

_NAMES = {ExitCode.REFUSED: REFUSED, ExitCode.WRONG: WRONG_USE}


def ended(error: ArgosyError) -> State[Any]:
    """The state that `error` ends a run in; raises it again where it is neither, so that Prefect names it."""
    name = _NAMES.get(error.exit_code)
    if name is None:
        raise error
    return Failed(message=redact(str(error)), name=name, data=error)
