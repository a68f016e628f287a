"""Log lines that say which run and service they are of, hold no secret, and are for people or for programs."""

from __future__ import annotations

import json
import logging
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Literal, TextIO

from argosy.clean_errors import cleaned
from argosy.redact import redact

LOGGER = "argosy"
"""The logger that all of Argosy's are below."""
VARIABLE = "ARGOSY_LOG_FORMAT"
"""The environment variable that says how flows write their lines."""

Format = Literal["text", "json"]


@dataclass(frozen=True, slots=True)
class Subject:
    """What is being worked on: the flow run with this id, and one service of it."""

    run: str | None = None
    service: str | None = None


_NOTHING = Subject()
_SUBJECT: ContextVar[Subject] = ContextVar("argosy_subject", default=_NOTHING)


@contextmanager
def about(*, run: str | None = None, service: str | None = None) -> Iterator[None]:
    """Let the lines written in this block say that they are of `run` and `service`; what is None stays as it was."""
    outer = _SUBJECT.get()
    token = _SUBJECT.set(Subject(run or outer.run, service or outer.service))
    try:
        yield
    finally:
        _SUBJECT.reset(token)


def guard() -> None:
    """Make every log record of this process, whatever logger and handler it goes through, clean and attributed.

    It is done where records are made: no handler can be forgotten, or come too late. What a thread or the process dies
    of, which Python itself writes to standard error, is clean too.
    """
    make = logging.getLogRecordFactory()
    if getattr(make, "guards", False):
        return

    def guarded(*args: Any, **kwargs: Any) -> logging.LogRecord:
        return _finished(make(*args, **kwargs))

    guarded.guards = True  # type: ignore[attr-defined] # a mark that outlives a second import of this module
    logging.setLogRecordFactory(guarded)
    threading.excepthook, sys.excepthook = _clean_thread_hook(threading.excepthook), _clean_hook(sys.excepthook)


def _finished(record: logging.LogRecord) -> logging.LogRecord:
    subject = _SUBJECT.get()
    # Not plain `service`: a library's own extra of that name would then be refused by logging.
    record.argosy_run, record.argosy_service = subject.run, subject.service
    clean(record)
    return record


def _clean_thread_hook(show: Callable[[threading.ExceptHookArgs], Any]) -> Callable[[threading.ExceptHookArgs], Any]:
    def shown(dead: threading.ExceptHookArgs) -> None:
        error = cleaned(dead.exc_value) if isinstance(dead.exc_value, Exception) else dead.exc_value
        show(threading.ExceptHookArgs((type(error), error, dead.exc_traceback, dead.thread)))

    return shown


def _clean_hook(show: Callable[..., Any]) -> Callable[..., Any]:
    def shown(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        error = cleaned(error) if isinstance(error, Exception) else error
        show(type(error), error, trace)

    return shown


def clean(record: logging.LogRecord) -> None:
    """Mask the secrets in the record's message, arguments and traceback; a record without any stays as it is."""
    try:
        message = record.getMessage()
    except Exception:  # noqa: BLE001  # wrong arguments, or one whose repr raises: logging must never raise
        message = f"{record.msg} (with arguments that do not fit)"
        record.msg, record.args = message, ()
    masked = redact(message)
    if masked != message:
        record.msg, record.args = masked, ()
    if record.exc_info and record.exc_info[0]:
        text = logging.Formatter().formatException(record.exc_info)
        masked = redact(text)
        if masked != text:
            record.exc_info, record.exc_text = None, masked
    if record.stack_info:
        record.stack_info = redact(record.stack_info)


class Text(logging.Formatter):
    """Lines for people: the message under `head`, with the service before it where it does not say so itself."""

    def __init__(self, head: str = "") -> None:
        super().__init__(f"{head}%(message)s", "%Y-%m-%dT%H:%M:%S%z")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  # logging's own name
        """The line, without a traceback."""
        service = getattr(record, "argosy_service", None)
        named = not service or record.message.startswith(f"{service}: ")
        said = record.message if named else f"{service}: {record.message}"
        fields = record.__dict__ | {"message": said, "run": getattr(record, "argosy_run", None) or "-"}
        return str(self._fmt) % fields


class Json(logging.Formatter):
    """Lines for programs: one JSON object each.

    Its keys are time (with its zone), level, logger, run, service, message, and exception where there is one.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        fields = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "run": getattr(record, "argosy_run", None),
            "service": getattr(record, "argosy_service", None),
            "message": record.getMessage(),
        }
        exception = record.exc_text or (self.formatException(record.exc_info) if record.exc_info else None)
        return json.dumps(fields | ({"exception": exception} if exception else {}))


_HEAD = "%(asctime)s %(levelname)s %(name)s run=%(run)s "


def formatter(form: str | None) -> logging.Formatter:
    """The formatter of `form`, `text` or `json`; text for any other."""
    return Json() if form == "json" else Text(_HEAD)


def begin(form: Format = "text", stream: TextIO | None = None, level: int = logging.INFO) -> None:
    """Write Argosy's lines to `stream` (standard error), as a command of its own does; once a process."""
    guard()
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(formatter(form))
    logger = logging.getLogger(LOGGER)
    logger.handlers[:] = [handler]
    logger.setLevel(level)
