"""The bridge of the embedded stack: what the registry was pushed, ECR knows.

Run as `python -m deployments.local.bridge`, with its settings as JSON on standard input.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
from contextlib import closing
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
from botocore.exceptions import BotoCoreError, ClientError
from pydantic import SecretStr

from deployments.local.aws import AccessKey, Aws, session
from deployments.local.part import Part
from deployments.local.ports import Port
from deployments.local.process import Process, environment
from deployments.local.registry import USER

if TYPE_CHECKING:
    from mypy_boto3_ecr import ECRClient

log = logging.getLogger(__name__)

# ECR's own refusals: to deliver such an event again changes nothing.
_REFUSED = ("RepositoryNotFoundException", "ImageAlreadyExistsException", "ImageTagAlreadyExistsException")


class Bridge(Part):
    """A process that takes the registry's notifications at `url` and tells `aws`'s ECR.

    `registry_host` is where it reads the manifests; it need not answer yet when the bridge starts.
    """

    def __init__(self, aws: Aws, registry_host: str, password: SecretStr, *, state: Path) -> None:
        self._port = Port()
        self.url = f"{self._port.url}/events"
        self._aws, self._registry_host, self._password = aws, registry_host, password
        command = [sys.executable, "-m", "deployments.local.bridge"]
        self._process = Process("bridge", command, state=state, env=environment(state), port=self._port)

    def start(self) -> None:
        """Start it; raises as `Process.start` does."""
        key = self._aws.bridge_key
        settings = {
            "port": self._port.number,
            "registry_url": f"http://{self._registry_host}",
            "registry_password": self._password.get_secret_value(),
            "endpoint_url": self._aws.endpoint_url,
            "key": {"user": key.user, "id": key.id, "secret": key.secret.get_secret_value()},
        }
        self._process.start(given=SecretStr(json.dumps(settings)))

    def stop(self) -> None:
        """End it."""
        self._process.stop()


@dataclass(frozen=True, slots=True)
class Feed:
    """Carries events from the registry to ECR, one after the other."""

    registry: httpx.Client
    ecr: ECRClient

    def take(self, event: dict[str, Any]) -> None:
        """Apply one notification of distribution's; raises httpx's or botocore's error where a retry may help."""
        target = event["target"]
        try:
            if event["action"] == "push":
                self._pushed(target["repository"], target["digest"], target["mediaType"], target.get("tag"))
            elif event["action"] == "delete" and "digest" in target:
                ids = [{"imageDigest": target["digest"]}]
                self.ecr.batch_delete_image(repositoryName=target["repository"], imageIds=ids)  # type: ignore[arg-type]
        except ClientError as error:
            if error.response["Error"]["Code"] not in _REFUSED:
                raise
            log.warning("ECR refused %s of %s: %s", event["action"], target["repository"], error)

    def _pushed(self, repository: str, digest: str, media_type: str, tag: str | None) -> None:
        answer = self.registry.get(f"/v2/{repository}/manifests/{digest}", headers={"Accept": media_type})
        if answer.status_code == httpx.codes.NOT_FOUND:
            return  # deleted since; that event follows
        answer.raise_for_status()
        tagged = {"imageTag": tag} if tag else {}
        self.ecr.put_image(
            repositoryName=repository,
            imageManifest=answer.text,
            imageManifestMediaType=media_type,
            imageDigest=digest,
            **tagged,
        )


def serve(port: int, feed: Feed) -> None:
    """Listen on 127.0.0.1:`port` for ever."""
    one_at_a_time = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        """Answers 200 when the events were applied, 503 when the registry shall send them again."""

        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            events = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["events"]
            try:
                with one_at_a_time:
                    for event in events:
                        feed.take(event)
            except (httpx.HTTPError, BotoCoreError, ClientError):
                log.exception("events not applied")
                self._answer(503)
            else:
                self._answer(200)

        def _answer(self, status: int) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

    ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()


def main() -> None:
    """Read the settings from standard input and serve."""
    logging.basicConfig(level=logging.WARNING)
    given = json.load(sys.stdin)
    key = AccessKey(given["key"]["user"], given["key"]["id"], SecretStr(given["key"]["secret"]))
    login = (USER, given["registry_password"])
    with (
        httpx.Client(base_url=given["registry_url"], auth=login, trust_env=False, timeout=10) as registry,
        closing(session(key).client("ecr", endpoint_url=given["endpoint_url"])) as ecr,
    ):
        serve(given["port"], Feed(registry, ecr))


if __name__ == "__main__":
    main()
