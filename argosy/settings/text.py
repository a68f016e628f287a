"""The text of `argosy.yaml`: an environment read from it, or all that is wrong with it, each with its place."""

from __future__ import annotations

from functools import lru_cache

from pydantic import ValidationError

from argosy.config import FILE, Configuration, load, loaded, validated
from argosy.environment import Environment, resolve
from argosy.errors import ConfigurationError
from argosy.services import Contradiction
from argosy.settings import effective
from argosy.settings.effective import Setting
from argosy.yaml_files.positions import Document


def read(text: bytes, environment: str, file: str = FILE) -> Environment:
    """The environment called `environment` that `text` describes.

    Raises ConfigurationError with the file, the line and the remedy of the first thing that is wrong.
    """
    return _read(text, environment, file)


@lru_cache(maxsize=256)  # most commits have the same one
def _read(text: bytes, environment: str, file: str) -> Environment:
    document = Document(text, file)
    configuration = loaded(document)
    try:
        return resolve(configuration, environment)
    except Contradiction as error:
        raise _placed(document, error) from error


def settings(document: Document, configuration: Configuration, environment: str) -> tuple[Setting, ...]:
    """Every setting of the environment called `environment`, and where it comes from; raises ConfigurationError."""
    try:
        return effective.settings(document, configuration, environment)
    except Contradiction as error:
        raise _placed(document, error) from error


def environments(text: bytes, file: str = FILE) -> tuple[str, ...]:
    """The names of the environments that `text` describes; raises as `read` does."""
    return tuple(load(text, file).environments)


def problems(text: bytes, file: str = FILE) -> tuple[ConfigurationError, ...]:
    """Everything that is wrong with `text`, each with its place and remedy, in the order of the file where it matters.

    What is no YAML, and what its values contradict each other in, is told one thing at a time.
    """
    try:
        document = Document(text, file)
        configuration = validated(document)
    except ValidationError as error:
        return tuple(document.refusals(error, Configuration))
    except ConfigurationError as error:
        return (error,)
    found = [_contradiction(document, configuration, name) for name in configuration.environments]
    return tuple({str(error): error for error in found if error}.values())


def _contradiction(document: Document, configuration: Configuration, name: str) -> ConfigurationError | None:
    try:
        resolve(configuration, name)
    except Contradiction as error:
        return _placed(document, error)
    return None


def _placed(document: Document, error: Contradiction) -> ConfigurationError:
    path = error.path or document.path_to(error.scalar)
    return document.error(path, f"is wrong: {error.message.removeprefix(f'{FILE}: ')}", error.remedy or "")
