"""Exceptions without secrets: whatever they carry, and whether or not they can be changed."""

from __future__ import annotations

import pickle
import subprocess

import httpx
import pytest
from botocore.exceptions import ClientError
from pydantic import BaseModel, ValidationError

from argosy.clean_errors import cleaned
from argosy.errors import ConfigurationError, Terminal, Transient
from argosy.git import failed
from argosy.gitops.mirror import PushRejected
from argosy.redact import Redaction

SECRET = "correct-horse-battery-staple"


@pytest.fixture
def redaction() -> Redaction:
    redaction = Redaction()
    redaction.remember(SECRET)
    return redaction


class Typed(BaseModel):
    """Something that takes a number."""

    number: int


def refused() -> ValidationError:
    with pytest.raises(ValidationError) as caught:
        Typed.model_validate({"number": SECRET})
    return caught.value


REQUEST = httpx.Request("GET", "http://h/", headers={"Authorization": f"Bearer {SECRET}"})
ERRORS: list[Exception] = [
    Transient(SECRET, service="ui", remedy=SECRET),
    PushRejected(SECRET),
    ConfigurationError(SECRET),
    failed("push", f"remote: {SECRET}"),
    ValueError(SECRET, [SECRET, {SECRET: (SECRET, {SECRET})}], SECRET.encode()),
    FileNotFoundError(2, "no such file", f"/tmp/{SECRET}"),  # noqa: S108  # only named
    KeyError(SECRET),
    subprocess.CalledProcessError(1, ["git", SECRET], output=SECRET.encode(), stderr=SECRET),
    ClientError({"Error": {"Code": "403", "Message": SECRET}}, "CreateRepository"),
    httpx.HTTPStatusError(SECRET, request=REQUEST, response=httpx.Response(401, request=REQUEST)),
    httpx.ConnectError("down", request=REQUEST),
    ExceptionGroup("several", [ValueError(SECRET), ExceptionGroup("more", [OSError(SECRET)])]),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_keeps_its_class_and_nothing_of_the_secret(error: Exception, redaction: Redaction) -> None:
    kind = type(error)
    error.__cause__ = ValueError(SECRET)
    clean = cleaned(error, redaction)
    assert type(clean) is kind
    assert clean.__cause__ is None
    assert SECRET not in f"{clean} {clean!r} {vars(clean)}"
    if kind is not ClientError:  # botocore's do not survive pickling
        assert SECRET.encode() not in pickle.dumps(clean)


def test_an_error_that_cannot_be_changed_is_replaced_by_one_that_names_it(redaction: Redaction) -> None:
    clean = cleaned(refused(), redaction)
    assert isinstance(clean, Terminal)
    assert "ValidationError" in str(clean)
    assert SECRET not in repr(clean)


def test_an_error_without_secrets_says_what_it_said(redaction: Redaction) -> None:
    for error in (
        OSError("no errno"),
        FileNotFoundError(2, "No such file", "/x"),
        KeyError("k"),
        Terminal("a", remedy="b"),
    ):
        before = (str(error), repr(error))
        assert (str(cleaned(error, redaction)), repr(error)) == before
