"""The whole examination: every check, those that wait for others side by side."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
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

    `variables` are those of this process; `cache` is ARGOSY_HOME.
    """

    root: Path
    file: Path
    environment: str | None
    variables: Mapping[str, str]
    cache: Path
    seconds: float = remotes.SECONDS


def examine(patient: Patient) -> tuple[Finding, ...]:
    """Every finding, in the order in which a release would meet it."""
    told, environments = configuration.check(patient.file, patient.environment)
    with ThreadPoolExecutor(max_workers=8) as pool:
        repository = pool.submit(checkout.check, patient.root)
        signs = {environment.sign for environment in environments if environment.sign}
        builder = BuilderHost(environment=patient.variables)
        here = pool.submit(machine.check, builder, patient.cache, signs=signs)
        prefect, addresses = orchestrator.check(patient.variables, environments, patient.seconds)
        outside = [pool.submit(check) for check in _outside(patient, environments, addresses)]
        found = [*told, *repository.result(), *files(patient.root, environments), *here.result(), *prefect]
        found += [each.result() for each in outside]
    unique = tuple(dict.fromkeys(found))  # two environments share most of what is outside
    for finding in unique:
        logger.info("%s: %s, %s: %s", finding.level, finding.what, finding.where, finding.why)
    return unique


def files(root: Path, environments: tuple[Environment, ...]) -> tuple[Finding, ...]:
    """What there is to say of the files that `argosy.yaml` names; nothing where `root` cannot be read at all."""
    if not environments:
        return ()
    try:
        return inputs.check(Checkout.read(root), environments)
    except ArgosyError:  # the check of the repository itself says why
        return ()


def _outside(
    patient: Patient, environments: tuple[Environment, ...], addresses: Mapping[str, str]
) -> list[remotes.Check]:
    given = remotes.Given(patient.variables, patient.seconds)
    origin = _origin(patient.root)
    return [each for environment in environments for each in remotes.checks(given, environment, addresses, origin)]


def _origin(root: Path) -> str:
    try:
        url = Git(root).text("config", "--default", "", "--get", "remote.origin.url")
    except ArgosyError:
        return ""
    # Some keep a token in the address: it is neither shown nor used.
    return re.sub(r"^(https?://)[^/]*@", r"\1", url)
