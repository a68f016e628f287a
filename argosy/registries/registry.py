"""The data plane of an OCI registry: which manifest a tag names, and further tags for it."""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import httpx

from argosy.errors import Terminal
from argosy.registries.auth import SCOPE, ChallengeAuth, is_loopback
from argosy.registries.errors import fault, passing, unreachable
from argosy.registries.login import Login, RegistryCredentials
from argosy.registries.manifests import Manifest, SeenManifests
from argosy.registries.names import check, digest_of, host_name, is_digest, is_tag
from argosy.registries.retries import answered
from argosy.resilience import QUICK_RETRY, Retry

if TYPE_CHECKING:  # its library takes longer to import than the client, and a command needs none
    from argosy.breaker import Breaker

__all__ = ["MEDIA_TYPES", "Manifest", "Registry", "RegistryCredentials", "TagTaken", "is_tag"]

MEDIA_TYPES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
"""The manifests and indexes that are asked for."""


class TagTaken(Terminal):
    """The tag names another manifest, and the repository lets no tag be moved."""


class Registry(AbstractContextManager["Registry"]):
    """A client for the registry at `host` (`HOST[:PORT]`); usable by several threads, closed by `with`.

    TLS is left out only on loopback addresses, and there too not where `ca`, a PEM file, says whom to trust.
    `timeout` in seconds bounds each connecting, reading and writing. What may pass is asked for again as `retry` says,
    and as the registry does by `Retry-After`; `breaker` counts what is left of that. The methods raise Unwell for 5xx
    and no answer, Transient for 408 and 429, CircuitOpen where the breaker lets nothing through; Terminal for every
    other refusal and for names that the specification does not allow; Cancelled where the run is to end.
    """

    def __init__(
        self,
        host: str,
        credentials: Login | RegistryCredentials | None = None,
        *,
        timeout: float = 30.0,
        ca: Path | None = None,
        retry: Retry = QUICK_RETRY,
        breaker: Breaker | None = None,
    ) -> None:
        plain = ca is None and is_loopback(host_name(host))
        self.host = host
        self._retry, self._breaker = retry, breaker
        self._seen = SeenManifests()
        self._client = httpx.Client(
            base_url=f"{'http' if plain else 'https'}://{host}/v2/",
            auth=ChallengeAuth(credentials if isinstance(credentials, Login) else Login.of(credentials), plain=plain),
            headers={"Accept": ", ".join(MEDIA_TYPES)},
            timeout=timeout,
            verify=_trust(ca),
            # Neither ~/.netrc nor a proxy that happens to be set may see these credentials.
            trust_env=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let its connections go; it is of no use afterwards."""
        self._client.close()

    def digest_of(self, name: str, reference: str) -> str | None:
        """The digest of the manifest that a tag or digest of repository `name` names; None where there is none.

        It is what the registry says: no bytes come with it that it could be checked by. Whoever goes on to use the
        manifest reads it, by that digest.
        """
        response = self._send("HEAD", name, reference)
        if response.status_code == httpx.codes.NOT_FOUND:
            return None
        self._check(response, name, reference)
        digest: str = response.headers.get("docker-content-digest", "")
        if is_digest(reference) and digest != reference:
            return self.manifest(name, reference).digest
        # The header is optional in the specification.
        return digest if is_digest(digest) else self.manifest(name, reference).digest

    def find(self, name: str, reference: str) -> Manifest | None:
        """As `manifest`, but None where there is none."""
        response = self._send("GET", name, reference)
        if response.status_code == httpx.codes.NOT_FOUND:
            return None
        return self._verified(response, name, reference)

    def manifest(self, name: str, reference: str) -> Manifest:
        """The manifest that a tag or digest of repository `name` names; raises Terminal where its digest is wrong.

        One that was read by this client before is not read again by its digest.
        """
        seen = self._seen.get(name, reference) if is_digest(reference) else None
        return seen or self._verified(self._send("GET", name, reference), name, reference)

    def known(self, name: str, tag: str) -> Manifest | None:
        """The manifest that this client last saw under `tag`, without asking; None where it saw none."""
        return self._seen.get(name, tag)

    def tag(self, name: str, manifest: Manifest, tag: str) -> None:
        """Let `tag` of repository `name` name `manifest`, whose blobs are there; success where it does already.

        Raises TagTaken where it names another one, and the repository is immutable.
        """
        if not is_tag(tag):
            raise Terminal(f"{tag!r} is no tag", remedy="use letters, digits, `_`, `.` and `-`, 128 at most")
        response = self._send("PUT", name, tag, manifest)
        # An immutable repository refuses even what changes nothing, each product with a status of its own.
        refused = 400 <= response.status_code < 500 and response.status_code not in {401, 403, 404, 408, 429}
        standing = self.digest_of(name, tag) if refused else None
        if standing and standing != manifest.digest:
            refusal = fault(response, f"PUT {self._what(name, tag)}")
            raise TagTaken(refusal.message, remedy=refusal.remedy)
        if standing is None:
            self._check(response, name, tag)
            self._same(response.headers.get("docker-content-digest", ""), manifest.digest, self._what(name, tag))
        self._seen.put(name, manifest, tag)

    def retag(self, name: str, source: str, tags: Iterable[str]) -> Manifest:
        """Give the manifest that `source` names each of `tags` too, and return it: same bytes, same digest."""
        manifest = self.manifest(name, source)
        for tag in tags:
            self.tag(name, manifest, tag)
        return manifest

    def _send(self, method: str, name: str, reference: str, manifest: Manifest | None = None) -> httpx.Response:
        check(name, reference)
        what = self._what(name, reference)

        def attempt() -> httpx.Response:
            request = self._client.build_request(
                method,
                f"{name}/manifests/{reference}",
                content=manifest.content if manifest else None,
                headers={"Content-Type": manifest.media_type} if manifest else None,
                extensions={SCOPE: f"repository:{name}:{'pull,push' if manifest else 'pull'}"},
            )
            try:
                return self._client.send(request)
            except httpx.RequestError as error:
                raise unreachable(error, what) from error

        with self._breaker.guard() if self._breaker else nullcontext():
            response = answered(attempt, self._retry, lambda: self._breaker is not None and self._breaker.open)
            if passing(response.status_code):
                raise fault(response, f"{method} {what}")
        return response

    def _verified(self, response: httpx.Response, name: str, reference: str) -> Manifest:
        self._check(response, name, reference)
        header = response.headers.get("docker-content-digest", "")
        claims = [text for text in (reference, header) if is_digest(text)] or ["sha256:"]
        digests = [digest_of(response.content, claim.partition(":")[0]) for claim in claims]
        for claim, digest in zip(claims, digests, strict=True):
            self._same(claim if claim != "sha256:" else "", digest, self._what(name, reference))
        media_type = response.headers.get("content-type", "").partition(";")[0].strip()
        manifest = Manifest(media_type, digests[0], response.content)
        self._seen.put(name, manifest, reference)
        return manifest

    def _same(self, claimed: str, digest: str, what: str) -> None:
        if is_digest(claimed) and claimed.partition(":")[0] == digest.partition(":")[0] and claimed != digest:
            raise Terminal(
                f"{what}: the registry names {claimed}, and the bytes are {digest}",
                remedy="see whether a proxy changes what passes through it, or the registry's storage is damaged",
            )

    def _check(self, response: httpx.Response, name: str, reference: str) -> None:
        if not response.is_success:
            raise fault(response, f"{response.request.method} {self._what(name, reference)}")

    def _what(self, name: str, reference: str) -> str:
        return f"{self.host}/{name}{'@' if ':' in reference else ':'}{reference}"


def _trust(ca: Path | None) -> ssl.SSLContext:
    if ca is None:
        return _usual_trust()
    try:
        return ssl.create_default_context(cafile=ca)
    except OSError as error:
        raise Terminal(f"{ca} is no readable CA file: {error}", remedy="name a PEM file of certificates") from error


@cache
def _usual_trust() -> ssl.SSLContext:
    # Reading every certificate takes 30 ms in which no other thread runs, and each service of a run has a client.
    # Of the environment this reads SSL_CERT_FILE and SSL_CERT_DIR alone.
    return httpx.create_ssl_context(trust_env=True)
