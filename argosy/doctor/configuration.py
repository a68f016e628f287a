"""Whether `argosy.yaml` is right, and which environments it describes."""

from __future__ import annotations

from pathlib import Path

from argosy.config import Configuration, load
from argosy.doctor.findings import Finding, Level
from argosy.environment import Environment, resolve
from argosy.errors import ConfigurationError
from argosy.settings.registry import PLACEHOLDER_ACCOUNT
from argosy.settings.text import problems

_WHAT = "configuration"


def check(file: Path, environment: str | None) -> tuple[tuple[Finding, ...], tuple[Environment, ...]]:
    """What there is to say of `file`, and its environments, or the one called `environment`; none where it is wrong."""
    try:
        text = file.read_bytes()
    except OSError as error:
        remedy = "commit argosy.yaml at the repository's root, or name the folder with --repo"
        return (Finding(Level.WRONG, _WHAT, str(file), error.strerror or str(error), remedy),), ()
    found = problems(text, file.name)
    if found:
        return tuple(_finding(error, file.name) for error in found), ()
    configuration = load(text, file.name)
    try:
        chosen = [
            resolve(configuration, name) for name in ([environment] if environment else configuration.environments)
        ]
    except ConfigurationError as error:  # the environment that was asked for is none
        return (_finding(error, file.name),), ()
    return (Finding(Level.GOOD, _WHAT, file.name, _summary(chosen)), *_placeholder(configuration, file.name)), tuple(
        chosen
    )


def _placeholder(configuration: Configuration, file: str) -> tuple[Finding, ...]:
    if configuration.registry.account_id != PLACEHOLDER_ACCOUNT or configuration.registry.endpoint:
        return ()
    why = f"registry.account_id is {PLACEHOLDER_ACCOUNT}, the placeholder of argosy init"
    return (Finding(Level.WARNING, _WHAT, file, why, "put the account there that has your registry"),)


def _finding(error: ConfigurationError, file: str) -> Finding:
    place, _, message = error.message.partition(": ")
    told = (place, message) if place.startswith(f"{file}:") else (file, error.message)
    return Finding(Level.WRONG, _WHAT, *told, error.remedy or "")


def _summary(environments: list[Environment]) -> str:
    names = ", ".join(environment.name for environment in environments)
    return f"{len(environments[0].services)} services; environments: {names}"
