"""`python -m deployments.register`: make Argosy known to the Prefect server that PREFECT_API_URL names.

It may be run as often as one likes: what is there is brought up to date.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from prefect.client.orchestration import get_client
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from argosy.errors import ArgosyError, ConfigurationError, Transient
from deployments.registration import BlockDocument, register_blocks, register_deployments, register_types

_EPILOG = """\
BLOCKS is a YAML or JSON list of {type, name, values}; `-` reads it from standard input, so that secrets need never
lie in a file:  sops --decrypt blocks.yaml | python -m deployments.register --blocks -
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 0 when all is registered, 2 when the input is wrong, 5 when the server is down."""
    options = _parser().parse_args(arguments)
    try:
        _await_server(options.wait)
        done = {
            "types": register_types(),
            "blocks": register_blocks(_documents(options.blocks)) if options.blocks else [],
            "deployments": register_deployments(options.file, _overrides(options)),
        }
    except ArgosyError as error:
        sys.stderr.write(f"register: {error}\n")
        return 5 if isinstance(error, Transient) else 2
    sys.stdout.write(json.dumps(done) + "\n" if options.json else _words(done))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m deployments.register", description=__doc__, epilog=_EPILOG)
    parser.add_argument("--blocks", metavar="BLOCKS", help="the blocks to create or overwrite; - is standard input")
    parser.add_argument("--file", type=Path, default=Path("prefect.yaml"), help="the deployments (prefect.yaml)")
    parser.add_argument("--repository", help="the GitOps Repository block that the deployments release from")
    parser.add_argument("--wait", type=float, default=10, metavar="SECONDS", help="how long the server may take (10)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


def _await_server(seconds: float) -> None:
    deadline = time.monotonic() + seconds
    with get_client(sync_client=True) as client:
        while (error := client.api_healthcheck()) is not None:
            if time.monotonic() > deadline:
                raise Transient(f"{client.api_url} does not answer: {error}", remedy="check PREFECT_API_URL")
            time.sleep(0.2)


def _overrides(options: argparse.Namespace) -> dict[str, Any]:
    return {"repository": options.repository} if options.repository else {}


def _documents(source: str) -> list[BlockDocument]:
    text = sys.stdin.read() if source == "-" else Path(source).read_text()
    try:
        return [BlockDocument(**item) for item in YAML(typ="safe").load(text)]
    except (YAMLError, TypeError):
        raise ConfigurationError(
            f"{source} is not a list of blocks", remedy="give each a type, a name and values"
        ) from None  # the parser quotes the text, which may hold secrets


def _words(done: dict[str, list[str]]) -> str:
    return "".join(f"{kind}: {', '.join(names) or 'none given'}\n" for kind, names in done.items())


if __name__ == "__main__":
    sys.exit(main())
