"""Who gives a command, and of which environment, where they do not say."""

from __future__ import annotations

import getpass
import subprocess
from pathlib import Path

from argosy.cli.options import Options
from argosy.errors import ConfigurationError, WrongUse
from argosy.settings.text import environments


def whoever(repo: Path) -> str:
    """The name of the person: git's `user.name` in their repository, else that of their account."""
    # Their own git, with their own configuration: no process of Argosy's reads that otherwise.
    asked = ["git", "-C", str(repo), "config", "--get", "user.name"]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    try:
        return done.stdout.strip() or getpass.getuser()
    except (KeyError, OSError) as error:
        raise WrongUse("nobody knows who you are", remedy='run git config user.name "YOUR NAME"') from error


def environment(options: Options) -> str:
    """The environment that is asked for, or the only one there is; raises WrongUse where there are several."""
    if options.own.environment:
        return str(options.own.environment)
    file = options.configuration
    try:
        known = environments(file.read_bytes(), file.name)
    except OSError as error:
        raise ConfigurationError(
            f"{file}: {error.strerror or error}", remedy="name the environment with --environment"
        ) from error
    if len(known) > 1:
        raise WrongUse("there are several environments", remedy=f"name one with --environment: {', '.join(known)}")
    return known[0]
