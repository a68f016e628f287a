"""Exceptions without secrets, for the edges where somebody keeps or shows what was raised."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from pathlib import PurePath
from typing import Any

from argosy.errors import Terminal
from argosy.redact import Redaction, redact

_DEPTH = 6
_SCALARS = (int, float, type, Enum, PurePath)


def cleaned(error: Exception, redaction: Redaction = redact) -> Exception:
    """`error` itself with its secrets masked and what it came from let go.

    Its texts and plain data stay, redacted; objects that it carries (a request with its headers) go. An error that
    cannot be changed becomes a Terminal that names its class.
    """
    _clean(error, redaction, _DEPTH)
    shown = f"{error} {error!r}"
    if redaction(shown) != shown:
        return Terminal(redaction(f"{type(error).__name__}: {error}"))
    return error


def _clean(error: BaseException, redaction: Redaction, depth: int) -> None:
    error.__cause__ = error.__context__ = None
    error.__suppress_context__ = True
    error.args = tuple(_value(each, redaction, depth) for each in error.args)
    carried = getattr(error, "__dict__", {})  # those written in Rust have none
    carried.update({name: _value(value, redaction, depth) for name, value in carried.items()})
    if isinstance(error, OSError):
        for name in ("strerror", "filename", "filename2"):
            if isinstance(text := getattr(error, name), str | bytes):
                setattr(error, name, _value(text, redaction, depth))
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            _clean(each, redaction, depth - 1)


def _value(value: Any, redaction: Redaction, depth: int) -> Any:
    """`value` redacted, if it is plain data; None for all else."""
    if isinstance(value, _SCALARS):
        return value
    if isinstance(value, str):
        return redaction(value)
    if isinstance(value, bytes):
        return redaction(value.decode(errors="surrogateescape")).encode(errors="surrogateescape")
    if depth <= 0:
        return None
    if isinstance(value, BaseException):
        _clean(value, redaction, depth - 1)
        return value
    return _collection(value, redaction, depth - 1)


def _collection(value: Any, redaction: Redaction, depth: int) -> Any:
    if isinstance(value, Mapping):
        return {_value(key, redaction, depth): _value(each, redaction, depth) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        items = [_value(each, redaction, depth) for each in value]
        return items if isinstance(value, list) else tuple(items) if isinstance(value, tuple) else set(items)
    return None
