"""The stand-in's own process: `python -m deployments.local.github`, with its settings as JSON on standard input."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import uvicorn

from deployments.local.github.api import API
from deployments.local.github.settings import Settings


def main() -> None:
    """Serve on 127.0.0.1 until SIGTERM."""
    logging.basicConfig(level=logging.WARNING)
    settings = Settings.read(sys.stdin.read())
    api = API(Path(settings.folder), settings.key, settings.orders)
    uvicorn.run(api.app, host="127.0.0.1", port=settings.port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
