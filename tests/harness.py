"""Prefect's own test harness: one server with an empty database, and nothing of the user's profile."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from botocore.loaders import JSONFileLoader
from prefect.blocks.core import Block
from prefect.context import use_profile
from prefect.settings import (
    PREFECT_API_SSL_CERT_FILE,
    PREFECT_HOME,
    PREFECT_SERVER_ANALYTICS_ENABLED,
    Profile,
)
from prefect.testing import utilities

from argosy.home import home
from deployments.local import prefect_database
from tests.engine.certificates import self_signed

_PATIENCE = 180  # seconds for the server's start, which takes about 5 on an idle machine


@contextmanager
def running(folder: Path) -> Iterator[None]:
    """Let all that is Prefect's in this process speak to a server that keeps its data in `folder`."""
    settings = {
        PREFECT_HOME: folder,
        PREFECT_SERVER_ANALYTICS_ENABLED: False,
        # All that it trusts is read anew for each client, which took a quarter of a test; the server here has no TLS.
        PREFECT_API_SSL_CERT_FILE: str(self_signed(folder)),
    }
    profile = Profile(name="tests", settings=settings)
    with (
        pytest.MonkeyPatch.context() as patch,
        use_profile(profile, override_environment_variables=True, include_current_context=False),
    ):
        _spare(patch, folder / "data")
        with utilities.prefect_test_harness(server_startup_timeout=_PATIENCE):
            yield


def _spare(patch: pytest.MonkeyPatch, data: Path) -> None:
    """Spare the harness making its server's tables, and this process making the same over and over again."""
    data.mkdir()
    prefect_database.place(data / "prefect-test.db", home() / "prefect")
    patch.setattr(utilities, "mkdtemp", lambda: str(data))
    _make_schemas_once(patch)
    _register_types_once(patch)
    _read_files_of_aws_once(patch)


def _make_schemas_once(patch: pytest.MonkeyPatch) -> None:
    """To save one block its schema is made a dozen times."""
    made: dict[tuple[object, ...], dict[str, Any]] = {}
    make = Block.model_json_schema.__func__  # type: ignore[attr-defined] # a class method has a function below it

    def once(cls: type[Block], *arguments: Any, **named: Any) -> dict[str, Any]:
        key = (cls, *arguments, *named.items())
        if key not in made:
            made[key] = make(cls, *arguments, **named)
        return copy.deepcopy(made[key])  # callers change what they get

    patch.setattr(Block, "model_json_schema", classmethod(once))


def _register_types_once(patch: pytest.MonkeyPatch) -> None:
    """To save a block its type is asked for and compared each time, in two thirds of its requests."""
    done = set[type[Block]]()
    register = Block.register_type_and_schema.__func__  # type: ignore[attr-defined] # as above

    def once(cls: type[Block], *arguments: Any, **named: Any) -> None:
        if cls not in done:
            register(cls, *arguments, **named)
            done.add(cls)

    patch.setattr(Block, "register_type_and_schema", classmethod(once))


def _read_files_of_aws_once(patch: pytest.MonkeyPatch) -> None:
    """Each session reads a megabyte of endpoints, which nobody changes."""
    read: dict[str, Any] = {}
    load = JSONFileLoader.load_file

    def once(self: JSONFileLoader, path: str) -> Any:
        if path not in read:
            read[path] = load(self, path)
        return read[path]

    patch.setattr(JSONFileLoader, "load_file", once)
