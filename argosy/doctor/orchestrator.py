"""The Prefect server: whether it answers, has the blocks and deployments of an environment, and a worker for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from argosy.doctor import blocks
from argosy.doctor.findings import Finding, Level, of_error
from argosy.environment import Environment
from argosy.errors import ArgosyError
from argosy.prefect_api import PrefectApi

_SECONDS = 10.0
_BY_PEOPLE = ("hold", "rollback")
_REGISTER = "add one to prefect.yaml, and register it: python -m deployments.register"


def check(
    variables: Mapping[str, str], environments: tuple[Environment, ...], seconds: float = _SECONDS
) -> tuple[tuple[Finding, ...], Addresses]:
    """What is to say of the Prefect server that `variables` name, and the addresses that its blocks hold."""
    where = "PREFECT_API_URL"
    try:
        with PrefectApi.of_environment(variables, timeout=seconds) as api:
            where = api.url
            found = [Finding(Level.GOOD, "Prefect", where, f"version {api.version()}")]
            deployments = api.deployments("release")
            wanted = blocks.wanted(environments, deployments)
            documents = api.blocks(sorted({block.name for block in wanted}))
            found += blocks.check(wanted, documents)
            found += _deployments(api, deployments, environments)
            found += _missing(api, environments)
            return tuple(found), Addresses.of(documents)
    except ArgosyError as error:
        return (of_error("Prefect", where, error),), Addresses({})


class Addresses(dict[str, str]):
    """The `url` of each block that has one, by `type/name`; no secret is among them.

    `api_url/type/name` and `api_repository/type/name` are those of a repository's block.
    """

    @classmethod
    def of(cls, documents: list[dict[str, Any]]) -> Addresses:
        """Those of block documents as the API gives them."""
        known = {blocks.identity(document): (document.get("data") or {}).get("url") for document in documents}
        for document in documents:
            for field in ("api_url", "api_repository"):
                known[f"{field}/{blocks.identity(document)}"] = (document.get("data") or {}).get(field)
        return cls({name: url for name, url in known.items() if isinstance(url, str)})


def _deployments(
    api: PrefectApi, deployments: list[dict[str, Any]], environments: tuple[Environment, ...]
) -> Iterator[Finding]:
    """A finding for each environment that no deployment releases, and each pool that no worker serves."""
    released = {(each.get("parameters") or {}).get("environment") for each in deployments}
    for environment in environments:
        if environment.name not in released:
            why = f"no deployment of the flow `release` releases to {environment.name}"
            yield Finding(Level.WRONG, "deployment", environment.name, why, _REGISTER)
    names = {environment.name for environment in environments}
    mine = [each for each in deployments if (each.get("parameters") or {}).get("environment") in names]
    for pool in sorted({str(each.get("work_pool_name")) for each in mine}):
        online = [each["name"] for each in api.workers(pool) if each.get("status") == "ONLINE"]
        if online:
            yield Finding(Level.GOOD, "worker", pool, f"{len(online)} online")
        else:
            remedy = f"start one: prefect worker start --pool {pool}"
            yield Finding(Level.DOWN, "worker", pool, "no worker serves this work pool", remedy)


def _missing(api: PrefectApi, environments: tuple[Environment, ...]) -> Iterator[Finding]:
    """A finding for each environment in which nobody can put a hold or go back: releases work without."""
    for flow in _BY_PEOPLE:
        served = {(each.get("parameters") or {}).get("environment") for each in api.deployments(flow)}
        for environment in environments:
            if environment.name not in served:
                why = f"no deployment of the flow `{flow}`: `argosy {flow}` cannot be used in {environment.name}"
                yield Finding(Level.WARNING, "deployment", f"{flow}/{environment.name}", why, _REGISTER)
