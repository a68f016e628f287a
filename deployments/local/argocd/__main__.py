"""The stand-in's own process: `python -m deployments.local.argocd`, with its settings as JSON on standard input."""

from __future__ import annotations

import logging
import sys
from contextlib import closing
from pathlib import Path

import uvicorn

from deployments.local.argocd.api import API
from deployments.local.argocd.controller import Controller
from deployments.local.argocd.images import Puller
from deployments.local.argocd.repository import Mirror
from deployments.local.argocd.settings import Settings


def main() -> None:
    """Serve on 127.0.0.1 until SIGTERM."""
    logging.basicConfig(level=logging.WARNING)
    settings = Settings.read(sys.stdin.read())
    with closing(Mirror(settings.repository, Path(settings.mirror), settings.git_login)) as mirror:
        puller = Puller(settings.registry, settings.registry_login)
        api = API(Controller(mirror, puller, settings.following), puller, settings.token)
        uvicorn.run(
            api.app,
            host="127.0.0.1",
            port=settings.port,
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=1,  # a stream has no end of its own
        )


if __name__ == "__main__":
    main()
