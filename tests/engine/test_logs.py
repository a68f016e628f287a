"""Log lines: whose they are, what they never hold, and how they are written."""

from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextvars import copy_context
from datetime import datetime, timedelta

import pytest

from argosy.logs import Format, about, begin, clean, guard
from argosy.redact import remember

SECRET = "correct-horse-battery-staple"
log = logging.getLogger("argosy.probe")


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """Leave the logging of the other tests alone."""
    logger, make, hooks = (
        logging.getLogger("argosy"),
        logging.getLogRecordFactory(),
        (threading.excepthook, sys.excepthook),
    )
    handlers, level = list(logger.handlers), logger.level
    remember(SECRET)
    yield
    logger.handlers[:] = handlers
    logger.setLevel(level)
    logging.setLogRecordFactory(make)
    threading.excepthook, sys.excepthook = hooks


def lines(form: Format) -> io.StringIO:
    stream = io.StringIO()
    begin(form, stream)
    return stream


def test_a_json_line_says_when_whose_and_what() -> None:
    stream = lines("json")
    with about(run="0af1"), about(service="ui"):
        log.warning("built %s\nin %d s", "it", 3)
    log.info("after")
    first, second = map(json.loads, stream.getvalue().splitlines())
    assert datetime.fromisoformat(first.pop("time")).utcoffset() == timedelta(0)
    assert first == {
        "level": "WARNING", "logger": "argosy.probe", "run": "0af1", "service": "ui", "message": "built it\nin 3 s"
    }  # fmt: skip
    assert (second["run"], second["service"]) == (None, None)


def test_a_text_line_names_its_run_and_its_service_once() -> None:
    stream = lines("text")
    with about(run="0af1", service="ui"):
        log.info("built")
        log.info("ui: pushed")
    endings = [line.partition(" INFO ")[2] for line in stream.getvalue().splitlines()]
    assert endings == ["argosy.probe run=0af1 ui: built", "argosy.probe run=0af1 ui: pushed"]


def test_a_thread_keeps_the_subject_that_it_was_given() -> None:
    stream = lines("json")
    with about(run="0af1", service="ui"):
        thread = threading.Thread(target=copy_context().run, args=(log.info, "from a thread"))
    with about(run="0af1", service="cart"):
        thread.start()
        thread.join()
    assert [json.loads(line)["service"] for line in stream.getvalue().splitlines()] == ["ui"]


@pytest.mark.parametrize("form", ["text", "json"])
def test_neither_message_nor_arguments_nor_traceback_hold_a_secret(form: Format) -> None:
    stream = lines(form)
    log.info("clear %s", {"password": SECRET})
    log.info(SECRET, stack_info=True)
    error = OSError(f"again {SECRET}")
    error.__cause__ = ValueError(SECRET)
    log.error("it failed", exc_info=error)
    assert "again ***" in stream.getvalue()
    assert "ValueError: ***" in stream.getvalue()
    assert SECRET not in stream.getvalue()


def test_a_handler_that_came_before_and_a_foreign_logger_are_guarded_too() -> None:
    stream, foreign = io.StringIO(), logging.getLogger("foreign")
    handler = logging.StreamHandler(stream)
    foreign.addHandler(handler)
    try:
        guard()
        foreign.warning("%s", SECRET, extra={"service": "s3"})
    finally:
        foreign.removeHandler(handler)
    assert stream.getvalue() == "***\n"


def test_a_record_without_secrets_stays_as_it_is_and_one_that_cannot_be_formatted_is_told() -> None:
    record = logging.LogRecord("x", logging.INFO, "", 0, "%s and %s", ("a", "b"), None)
    clean(record)
    assert record.args == ("a", "b")
    record = logging.LogRecord("x", logging.INFO, "", 0, f"%d {SECRET}", ("a",), None, sinfo=f"call({SECRET!r})")
    clean(record)
    assert SECRET not in f"{record.getMessage()} {record.stack_info}"


def test_neither_logging_that_fails_nor_a_thread_or_process_that_dies_shows_a_secret() -> None:
    program = f"""
import logging, threading
from argosy.logs import begin
from argosy.redact import remember
remember({SECRET!r}.replace('_', '-'))
begin()
class Broken(logging.Handler):
    def emit(self, record):
        try: raise ValueError("broken")
        except ValueError: self.handleError(record)
logging.getLogger("argosy").addHandler(Broken())
logging.getLogger("argosy").error("%s", {SECRET!r})
def die():
    raise ValueError({SECRET!r})
thread = threading.Thread(target=die)
thread.start()
thread.join()
die()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "Logging error" in done.stderr
    assert done.stderr.count("ValueError: ***") == 2
    assert SECRET not in done.stderr
