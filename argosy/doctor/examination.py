"""The whole examination: every check, those that wait for others side by side."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from argosy.builds.builders import BuilderHost
from argosy.doctor import checkout, configuration, inputs, machine, orchestrator, remotes
from argosy.doctor.findings import Finding
from argosy.doctor.tracked import Checkout
from argosy.environment import Environment
from argosy.errors import ArgosyError
from argosy.git import Git

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Patient:
    """What is examined: the repository at `root` with its configuration in `file`, for all environments or one.

    `variables` are those of this process; `cache` is ARGOSY_HOME; `charts` has the clones of charts that lie apart, as
    `Clone.charts` has them.
    """

    root: Path
    file: Path
    environment: str | None
    variables: Mapping[str, str]
    cache: Path
    seconds: float = remotes.SECONDS
    charts: Mapping[str | None, Path] = field(default_factory=dict)


def examine(patient: Patient) -> tuple[Finding, ...]:
    """Every finding, in the order in which a release would meet it."""
    told, environments = configuration.check(patient.file, patient.environment)
    with ThreadPoolExecutor(max_workers=8) as pool:
        roots = dict.fromkeys((patient.root, *patient.charts.values()))
        clones = [pool.submit(checkout.check, root) for root in roots]
        signs = {environment.sign for environment in environments if environment.sign}
        renders = {environment.render_check for environment in environments}
        builder = BuilderHost(environment=patient.variables)
        here = pool.submit(machine.check, builder, patient.cache, signs=signs, renders=renders)
        prefect, addresses = orchestrator.check(patient.variables, environments, patient.seconds)
        outside = [pool.submit(check) for check in _outside(patient, environments, addresses)]
        found = [*told, *(finding for each in clones for finding in each.result())]
        found += [*files(patient.root, environments, patient.charts), *here.result(), *prefect]
        found += [each.result() for each in outside]
    unique = tuple(dict.fromkeys(found))  # two environments share most of what is outside
    for finding in unique:
        logger.info("%s: %s, %s: %s", finding.level, finding.what, finding.where, finding.why)
    return unique


def files(
    root: Path, environments: tuple[Environment, ...], charts: Mapping[str | None, Path] | None = None
) -> tuple[Finding, ...]:
    """What there is to say of the files that `argosy.yaml` names, `charts` as `Patient` has them.

    Nothing where `root`, or a clone of charts, cannot be read at all.
    """
    if not environments:
        return ()
    try:
        return inputs.check(Checkout.read(root), environments, _apart(environments, charts or {}))
    except ArgosyError:  # the check of the repository itself says why
        return ()


def _apart(environments: tuple[Environment, ...], charts: Mapping[str | None, Path]) -> dict[str, Checkout]:
    read = {name: Checkout.read(root) for name, root in charts.items()}
    found = {each.name: read.get(each.target_repository, read.get(None)) for each in environments}
    return {name: checkout for name, checkout in found.items() if checkout}


def _outside(
    patient: Patient, environments: tuple[Environment, ...], addresses: Mapping[str, str]
) -> list[remotes.Check]:
    given = remotes.Given(patient.variables, patient.seconds)
    origin = _origin(patient.root)
    apart = frozenset(each.target_repository for each in environments if each.target_repository)
    every = (remotes.checks(given, environment, addresses, origin, apart) for environment in environments)
    return [check for checks in every for check in checks]


def _origin(root: Path) -> str:
    try:
        url = Git(root).text("config", "--default", "", "--get", "remote.origin.url")
    except ArgosyError:
        return ""
    # Some keep a token in the address: it is neither shown nor used.
    return re.sub(r"^(https?://)[^/]*@", r"\1", url)
