"""Where the engine's log lines go: into the log of the Prefect run that they were written in."""

from __future__ import annotations

import logging

from prefect.logging.handlers import APILogHandler

ENGINE = "argosy"


def attach() -> None:
    """Send the engine's log lines to the Prefect run, whatever PREFECT_LOGGING_EXTRA_LOGGERS says; once a process."""
    logger = logging.getLogger(ENGINE)
    if logger.level == logging.NOTSET:
        logger.setLevel(logging.INFO)
    if not any(isinstance(handler, APILogHandler) for handler in logger.handlers):
        logger.addHandler(APILogHandler())
