"""A BuildKit daemon behind an address: the BuildKit of an engine, which speaks only to its own clients otherwise."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path


class _Daemon:
    """Passes each connection on to the engine's BuildKit through `docker buildx dial-stdio`."""

    def __init__(self, client: str, environment: Mapping[str, str], tls: ssl.SSLContext | None) -> None:
        self._client, self._environment, self._tls = client, dict(environment), tls
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._connections: set[asyncio.Task[None]] = set()

    def start(self) -> int:
        self._thread.start()
        started = asyncio.run_coroutine_threadsafe(
            asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls), self._loop
        )
        self._server = started.result(30)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(30)
        self._loop.close()

    async def _close(self) -> None:
        self._server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        pipe = asyncio.subprocess.PIPE
        engine = await asyncio.create_subprocess_exec(
            self._client, "buildx", "dial-stdio", "--progress=quiet", env=self._environment, stdin=pipe, stdout=pipe
        )
        assert engine.stdin
        assert engine.stdout
        try:
            await asyncio.gather(_pass(reader, engine.stdin), _pass(engine.stdout, writer))
        finally:
            with suppress(ProcessLookupError):
                engine.kill()
            await engine.wait()
            writer.close()
            self._connections.discard(task)


async def _pass(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()
    sink.close()


@contextmanager
def daemon(client: str, environment: Mapping[str, str], tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """The address of a BuildKit daemon for the length of a `with`, which asks for TLS where it is given a context."""
    found = _Daemon(client, environment, tls)
    port = found.start()
    try:
        yield f"tcp://127.0.0.1:{port}"
    finally:
        found.stop()


def mutual(certificate: Path) -> ssl.SSLContext:
    """A server's context that shows `certificate`, a key and its certificate, and lets in nobody who has another."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(certificate))
    context.load_cert_chain(certificate)
    context.verify_mode = ssl.CERT_REQUIRED
    context.set_alpn_protocols(["h2"])
    return context
