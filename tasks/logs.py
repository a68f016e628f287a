"""Where log lines go: Argosy's into the log of the Prefect run that they were written in, all of them clean."""

from __future__ import annotations

import logging
import os

from prefect.logging.handlers import APILogHandler, PrefectConsoleHandler
from prefect.settings import get_current_settings

from argosy.logs import LOGGER, VARIABLE, Text, formatter, guard
from argosy.redact import remember


def attach() -> None:
    """Send Argosy's lines to the Prefect run, and clean those of every logger; as often as one likes.

    On the dashboard a line is its message, and its service where that does not say it. On the console of the process
    it has the run too, and with ARGOSY_LOG_FORMAT=json every line there, Prefect's own included, is a JSON object.
    """
    api = get_current_settings().api
    remember(api.auth_string, api.key)
    guard()
    logger = logging.getLogger(LOGGER)
    if logger.level == logging.NOTSET:
        logger.setLevel(logging.INFO)
    if not any(isinstance(handler, APILogHandler) for handler in logger.handlers):
        handler = APILogHandler()
        handler.setFormatter(Text())
        handler.addFilter(_of_a_run)
        logger.addHandler(handler)
    for console in logging.getLogger().handlers:
        if isinstance(console, PrefectConsoleHandler) and not isinstance(console.formatter, _Console):
            console.setFormatter(_Console(console.formatter))


def _of_a_run(record: logging.LogRecord) -> bool:
    # Prefect's handler warns of lines that it cannot put anywhere.
    return getattr(record, "argosy_run", None) is not None


class _Console(logging.Formatter):
    """Argosy's own lines in Argosy's format, the others as they were; all of them in JSON where that was asked for."""

    def __init__(self, others: logging.Formatter | None) -> None:
        super().__init__()
        form = os.environ.get(VARIABLE, "text")
        self._ours = formatter(form)
        self._others = self._ours if form == "json" or others is None else others

    def format(self, record: logging.LogRecord) -> str:
        ours = record.name.partition(".")[0] == LOGGER
        return (self._ours if ours else self._others).format(record)
