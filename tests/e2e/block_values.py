"""Blocks of the stack that have other values for a while."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.e2e.store import ENVIRONMENT, Store


@contextmanager
def block_values(store: Store, kind: str, suffix: str = "", **values: Any) -> Iterator[None]:
    """Let the block of the environment have other values for a while."""
    call, name = store.api._call, f"argosy-{ENVIRONMENT}-{suffix}" if suffix else store.stack.repository
    found = call("GET", f"/block_types/slug/{kind}/block_documents/name/{name}?include_secrets=true")
    path = f"/block_documents/{found['id']}"
    references = {
        field: {"$ref": {"block_document_id": each["block_document"]["id"]}}
        for field, each in found["block_document_references"].items()
    }
    before = {field: references.get(field, found["data"].get(field)) for field in values}
    call("PATCH", path, {"data": values})
    try:
        yield
    finally:
        call("PATCH", path, {"data": before})
