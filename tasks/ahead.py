"""What the builds of a run need before they begin, found while its plan is still made."""

from __future__ import annotations

import logging
from contextvars import copy_context
from threading import Thread

from argosy.builds import clients as build_clients
from argosy.home import run_folder
from blocks.container_registry import ecr_client
from tasks.building import default_branch
from tasks.workspace import Workspace, run_id

logger = logging.getLogger("argosy.tasks")


def look_ahead(repository: str, environment: str, source_sha: str) -> None:
    """Begin to find, in a thread, the client that builds, the blocks behind it and what configures repositories.

    It asks nothing of a registry. What goes wrong is not told: the stage that needs it finds it so, and says so.
    """
    arguments = (_look, repository, environment, source_sha)
    Thread(target=copy_context().run, args=arguments, daemon=True).start()


def _look(repository: str, environment: str, source_sha: str) -> None:
    try:
        work = Workspace.open(repository, environment, source_sha)
        build_clients.find(work.builder(), run_folder(run_id()))
        default_branch(work)
        for target in {work.environment.registry(service) for service in work.environment.services}:
            if target.type == "ecr":
                ecr_client(work.aws(target))
    except Exception:  # whatever it is, a stage will meet it
        logger.debug("looking ahead ended early", exc_info=True)
