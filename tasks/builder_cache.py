"""After the builds: the builder's own cache is kept below the size that it is allowed."""

from __future__ import annotations

import logging

from argosy.builds import clients as build_clients
from argosy.errors import ArgosyError
from argosy.home import run_folder
from tasks import connections
from tasks.policy import stage
from tasks.workspace import Workspace, run_id

logger = logging.getLogger("argosy.tasks")


@stage("cut the builder's cache", run_name="cut the builder's cache")
def cut_builder_cache(repository: str, environment: str, source_sha: str) -> None:
    """Keep the builder's own cache below the size that the environment allows it; what fails there is only told."""
    connections.finish_exports()  # they need what would be cut
    work = Workspace.open(repository, environment, source_sha)
    size = work.environment.builder.cache_size
    if size is None:
        return
    host, folder = work.builder(), run_folder(run_id())
    try:
        failed = build_clients.cut(build_clients.find(host, folder), host, folder, size)
    except ArgosyError as error:
        failed = str(error)
    if failed:
        logger.warning("the builder's cache was not cut to %d bytes: %s", size, failed)
