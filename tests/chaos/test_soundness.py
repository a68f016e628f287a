"""What is looked for after a run that was killed would be found."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import processes
from tests.chaos.soundness import containers, of_a_run, secrets_left
from tests.deployments.waiting import soon
from tests.e2e.store import Store

_HOLD = """
import os, sys
memory = os.memfd_create("argosy-secret")
os.write(memory, sys.stdin.buffer.read())
print(flush=True)
os.read(int(sys.argv[1]), 1)
"""


def test_a_key_that_is_left_on_disk_or_in_memory_is_found(adopted: Store) -> None:
    key = adopted.stack.signing_key.private.get_secret_value()
    soon(lambda: sorted(secrets_left(adopted)), [])
    with tempfile.TemporaryDirectory(prefix="argosy-index-") as folder, _held(key.encode()) as pid:
        left = [Path(folder) / "key", adopted.stack.state / "cache" / "key", Path("/dev/shm/argosy-key")]  # noqa: S108
        try:
            for file in left:
                file.write_text(key)
            found = {place for name, place in secrets_left(adopted) if name == "signing key"}
        finally:
            for file in left:
                file.unlink(missing_ok=True)
    assert found == {*map(str, left), f"/proc/{pid}/fd/3"}


@contextmanager
def _held(secret: bytes) -> Iterator[int]:
    """A process that holds the secret in memory."""
    reader, writer = os.pipe()
    command = [sys.executable, "-c", _HOLD, str(reader)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=[reader]) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(secret)
        process.stdin.close()
        process.stdout.readline()
        yield process.pid
        os.close(writer)
    os.close(reader)


def test_the_search_takes_nothing_out_of_a_pipe_that_took_the_place_of_a_file_in_memory() -> None:
    reader, writer = os.pipe()
    os.write(writer, b"somebody waits for it")
    os.close(writer)
    assert processes.content(Path(f"/proc/self/fd/{reader}")) == b""
    assert os.read(reader, 64) == b"somebody waits for it"
    os.close(reader)


def test_a_container_that_is_left_is_found(adopted: Store) -> None:
    engine = adopted.stack.engine
    assert containers(adopted) == []
    if not engine.private:
        return

    def docker(*words: str, given: bytes = b"") -> str:
        command = [str(engine.client), *words]
        done = subprocess.run(command, input=given, env=engine.environment(), check=True, capture_output=True)
        return done.stdout.decode().strip()

    image = docker("import", "-", given=_empty())
    left = docker("create", image, "/nothing")
    try:
        assert [left.startswith(short) for short in containers(adopted)] == [True]
    finally:
        docker("rm", left)
        docker("rmi", image)


def _empty() -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("nothing"))
    return stream.getvalue()


def test_a_process_of_a_run_that_is_left_is_found(adopted: Store) -> None:
    env = {"PREFECT__FLOW_RUN_ID": "x", "PREFECT_API_URL": adopted.stack.prefect.api_url}
    with subprocess.Popen(["/bin/sh", "-c", "read line"], stdin=subprocess.PIPE, env=env) as process:
        soon(lambda: [each.pid for each in of_a_run(adopted)], [process.pid])
        process.communicate(b"\n")
