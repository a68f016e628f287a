"""Images built on other services' images, from further folders and on base images that move; rebuilds on demand."""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from argosy.inputs.base_images import parts
from argosy.inputs.digests import Digests
from argosy.notes import Verified
from argosy.registries.registry import Manifest
from tests.e2e.store import ENVIRONMENT, SERVICES, Store

ROOT = Path(__file__).parents[2]
_BUILT_ON_UI = "FROM ui\nCOPY --from=libs mark.txt /srv/mark.txt\n"


@contextmanager
def configured(store: Store, change: Callable[[dict[str, Any]], None], **files: str) -> Iterator[str]:
    """Push a commit with argosy.yaml changed, and take it back in the end; the commit is what one gets."""
    yaml, text = YAML(), io.StringIO()
    document = yaml.load(store.read("argosy.yaml"))
    change(document)
    yaml.dump(document, text)
    commit = store.developer.commit("Configure", {"argosy.yaml": text.getvalue(), **files}, "main")
    try:
        yield commit
    finally:
        store.revert(commit)


def layers(store: Store, service: str) -> list[str]:
    reference = store.references()[service]
    document = json.loads(store.registry.manifest(reference.name, reference.tag).content)
    return [layer["digest"] for layer in document["layers"]]


def test_a_service_is_built_on_anothers_new_image_and_on_a_base_that_moved_and_blocked_where_that_one_fails(
    adopted: Store,
) -> None:
    def change(document: dict[str, Any]) -> None:
        document["services"]["ui"]["build"]["resolve"] = True
        document["services"]["cart"] = {"build": {"from": ["ui"], "contexts": {"libs": "libs"}}}

    both = dict.fromkeys(SERVICES, "untouched") | {"ui": "healthy", "cart": "healthy"}
    adopted.change("ui")
    files = {"src/cart/Dockerfile": _BUILT_ON_UI, "libs/mark.txt": f"{uuid.uuid4()}\n"}
    with configured(adopted, change, **files):
        run = adopted.release()
        assert (run.state, adopted.results(run)) == ("COMPLETED", both), run.message
        below = layers(adopted, "ui")
        assert layers(adopted, "cart")[: len(below)] == below
        assert len(layers(adopted, "cart")) == len(below) + 1

        _move_base(adopted)
        moved = adopted.release()
        assert adopted.planned(moved) == dict.fromkeys(SERVICES, "unchanged") | {"ui": "build", "cart": "build"}
        assert (moved.state, adopted.results(moved)) == ("COMPLETED", both), moved.message

        whole = adopted.read("src/ui/Dockerfile")
        adopted.change("orders", **{"src/ui/Dockerfile": f"{whole}RUN false\n"})
        failed = adopted.release()
        assert failed.state == "FAILED"
        assert "cart: blocked: it is built from ui, which failed" in failed.message
        assert adopted.results(failed)["orders"] == "healthy"
        assert adopted.builds(failed) == {"ui", "orders"}
        adopted.change(**{"src/ui/Dockerfile": whole})


def _move_base(store: Store) -> None:
    _, name, tag = parts(store.environment.service("ui").build_context.build_args[0][1])
    standing = store.registry.manifest(name, tag)
    content = json.dumps(json.loads(standing.content) | {"annotations": {"moved": uuid.uuid4().hex}}).encode()
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    store.registry.tag(name, Manifest(standing.media_type, digest, content), tag)


def test_a_rebuild_is_asked_for_on_the_command_line_and_followed_to_its_end(adopted: Store) -> None:
    auth = adopted.stack.prefect.auth
    assert auth is not None
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "PREFECT_API_URL": adopted.stack.prefect.api_url,
        "PREFECT_API_AUTH_STRING": auth.get_secret_value(),
    }
    command = [sys.executable, "-m", "argosy", "release", "--environment", ENVIRONMENT, "--force", "ui", "--json"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=200)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert (said["state"], said["message"]) == ("COMPLETED", f"ui released to {ENVIRONMENT}")
    assert "exporting to image" in done.stderr
    assert adopted.builds(said["run"]) == {"ui"}
    reference = adopted.references()["ui"]
    assert Verified("ui", reference) in adopted.verified()
    content = Digests(adopted.origin, adopted.environment).desired(adopted.head)["ui"]
    assert adopted.digest("ui", reference.tag) == adopted.digest("ui", content.tag) is not None
