"""What registries say that distribution with a password file does not: tokens, refusals, nonsense."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import certifi
import httpx
import pytest
from pydantic import SecretStr

from argosy.errors import Terminal, Transient
from argosy.registries.auth import SCOPE, ChallengeAuth
from argosy.registries.login import Login
from argosy.registries.registry import MEDIA_TYPES, Manifest, Registry, RegistryCredentials
from argosy.resilience import ONCE
from tests.engine.certificates import self_signed, server_side
from tests.engine.web import Answer, Request, served

CREDENTIALS = RegistryCredentials("reader", SecretStr("a password of the test's own"))
BASIC = "Basic " + base64.b64encode(b"reader:a password of the test's own").decode()
CONTENT = b'{"schemaVersion":  2}'
DIGEST = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"
MANIFEST = Manifest(MEDIA_TYPES[1], DIGEST, CONTENT)
FOUND = Answer(200, {"Content-Type": MANIFEST.media_type, "Docker-Content-Digest": DIGEST}, CONTENT)


@dataclass
class TokenRegistry:
    """A registry that wants bearer tokens for the scope of each request, and the server that gives them."""

    realm: str = "http://{host}/token"
    answer: Answer | None = None
    asked: list[dict[str, list[str]]] = field(default_factory=list)
    logins: list[str | None] = field(default_factory=list)
    valid: set[str] = field(default_factory=set)
    seen: list[str | None] = field(default_factory=list)
    lasts: int | None = None
    reads_with_any: bool = False

    def __call__(self, request: Request) -> Answer:
        if request.path.startswith("/token"):
            return self.give(request)
        self.seen.append(request.headers.get("authorization"))
        action = "pull,push" if request.method == "PUT" else "pull"
        scope = f"repository:{request.path.split('/')[2]}:{action}"
        given = (request.headers.get("authorization") or "").removeprefix("Bearer ")
        if given in self.valid and (scope in given or self.reads_with_any):
            return Answer(201) if request.method == "PUT" else FOUND
        realm = self.realm.format(host=request.headers["host"])
        challenge = f'Bearer realm="{realm}",service="the \\"registry\\"",scope="{scope}"'
        return Answer(401, {"WWW-Authenticate": challenge})

    def give(self, request: Request) -> Answer:
        query = parse_qs(urlsplit(request.path).query)
        self.asked.append(query)
        self.logins.append(request.headers.get("authorization"))
        if self.answer:
            return self.answer
        if self.logins[-1] != BASIC:
            return Answer(401)
        self.valid.add(f"{query['scope'][0]}#{len(self.asked)}")
        answer: dict[str, object] = {"token": f"{query['scope'][0]}#{len(self.asked)}"}
        if self.lasts:
            answer["expires_in"] = self.lasts
        return Answer(200, body=json.dumps(answer).encode())


@pytest.fixture
def tokens() -> TokenRegistry:
    return TokenRegistry()


def test_a_token_is_asked_once_a_scope_and_again_when_it_has_run_out(tokens: TokenRegistry) -> None:
    with served(tokens) as host, Registry(host, CREDENTIALS) as registry:
        assert registry.digest_of("ui", "one") == DIGEST
        assert registry.manifest("ui", "one") == MANIFEST
        registry.tag("ui", MANIFEST, "two")
        registry.tag("ui", MANIFEST, "three")
        scopes = [query["scope"] for query in tokens.asked]
        assert scopes == [["repository:ui:pull"], ["repository:ui:pull,push"]]
        assert tokens.asked[0]["service"] == ['the "registry"']
        tokens.valid.clear()
        assert registry.digest_of("ui", "one") == DIGEST
        assert len(tokens.asked) == 3
    assert set(tokens.logins) == {BASIC}
    assert BASIC not in tokens.seen, "the password goes to the token server alone"


def test_another_repositorys_token_is_asked_for_without_a_refusal_first(tokens: TokenRegistry) -> None:
    with served(tokens) as host, Registry(host, CREDENTIALS) as registry:
        for name in ("ui", "cart", "ui"):
            assert registry.digest_of(name, "one") == DIGEST
    assert [query["scope"] for query in tokens.asked] == [["repository:ui:pull"], ["repository:cart:pull"]]
    assert tokens.seen.count(None) == 1, "the very first request alone goes without a token"
    assert len(tokens.seen) == 4


def test_a_token_that_may_push_serves_for_reading_too(tokens: TokenRegistry) -> None:
    with served(tokens) as host, Registry(host, CREDENTIALS) as registry:
        registry.tag("ui", MANIFEST, "two")
        tokens.reads_with_any = True
        assert registry.digest_of("ui", "two") == DIGEST
    assert len(tokens.asked) == 1


def test_a_token_is_replaced_before_it_runs_out(tokens: TokenRegistry) -> None:
    now, tokens.lasts = [0.0], 300
    auth = ChallengeAuth(Login.of(CREDENTIALS), plain=True, clock=lambda: now[0])
    with served(tokens) as host, httpx.Client(auth=auth, trust_env=False) as client:
        for moment in (0.0, 250.0, 290.0):
            now[0] = moment
            request = client.build_request("GET", f"http://{host}/v2/ui/manifests/one")
            request.extensions[SCOPE] = "repository:ui:pull"
            assert client.send(request).status_code == 200
    assert len(tokens.asked) == 2
    assert tokens.seen.count(None) == 1, "it is not used until somebody refuses it"


def test_a_password_that_the_token_server_refuses_is_asked_for_anew_and_once(tokens: TokenRegistry) -> None:
    given = iter(["old", "older", "oldest"])
    login = Login(lambda: replace(CREDENTIALS, password=SecretStr(next(given))))
    with served(tokens) as host, Registry(host, login) as registry, pytest.raises(Terminal, match="401"):
        registry.digest_of("ui", "one")
    assert len(tokens.logins) == 2
    given = iter(["old", CREDENTIALS.password.get_secret_value()])
    login = Login(lambda: replace(CREDENTIALS, password=SecretStr(next(given))))
    with served(tokens) as host, Registry(host, login) as registry:
        assert registry.digest_of("ui", "one") == DIGEST


def test_a_token_of_ecr_that_has_expired_is_replaced_though_it_says_403() -> None:
    now, number = [datetime(2026, 1, 1, tzinfo=UTC)], [0]

    def issue() -> RegistryCredentials:
        number[0] += 1
        return RegistryCredentials("AWS", SecretStr(f"token {number[0]}"))

    def ecr(request: Request) -> Answer:
        given = request.headers.get("authorization")
        if given is None:
            return Answer(401, {"WWW-Authenticate": 'Basic realm="ECR",service="ecr.amazonaws.com"'})
        latest = base64.b64encode(f"AWS:token {valid[0]}".encode()).decode()
        return FOUND if given == f"Basic {latest}" else Answer(403)

    valid = [1]
    with served(ecr) as host, Registry(host, Login(issue, lambda: now[0])) as registry:
        assert registry.digest_of("ui", "one") == DIGEST
        valid[0] = 2
        with pytest.raises(Terminal, match="403"):  # a minute after its issue that says something else
            registry.digest_of("ui", "one")
        now[0] += timedelta(hours=11)
        assert registry.digest_of("ui", "one") == DIGEST
    assert number == [2]


def test_a_digest_that_is_asked_for_is_not_taken_from_a_header_that_says_another() -> None:
    lie = Answer(200, {**FOUND.headers, "Docker-Content-Digest": "sha256:" + "0" * 64}, CONTENT)
    with served(lambda request: lie) as host, Registry(host) as registry:
        with pytest.raises(Terminal, match=f"names sha256:0+, and the bytes are {DIGEST}"):
            registry.digest_of("ui", DIGEST)
        for find in (registry.find, registry.manifest):
            with pytest.raises(Terminal, match="names sha256:0000"):
                find("ui", "one")


def test_a_registry_that_keeps_other_bytes_than_were_sent_is_found_out() -> None:
    def rewriting(request: Request) -> Answer:
        return Answer(201, {"Docker-Content-Digest": "sha256:" + "0" * 64})

    with served(rewriting) as host, Registry(host) as registry, pytest.raises(Terminal, match="names sha256:0000"):
        registry.tag("ui", MANIFEST, "one")


def test_a_manifest_that_was_read_is_not_read_again_by_its_digest() -> None:
    seen: list[Request] = []

    def record(request: Request) -> Answer:
        seen.append(request)
        return FOUND

    with served(record) as host, Registry(host) as registry:
        assert registry.known("ui", "one") is None
        assert registry.find("ui", "one") == registry.manifest("ui", DIGEST) == registry.known("ui", "one") == MANIFEST
        assert len(seen) == 1
        assert registry.manifest("cart", DIGEST) == MANIFEST
        assert len(seen) == 2, "another repository may lack it"


def test_without_credentials_a_token_is_asked_anonymously(tokens: TokenRegistry) -> None:
    tokens.answer = Answer(200, body=b'{"access_token": "repository:ui:pull"}')
    tokens.valid.add("repository:ui:pull")
    with served(tokens) as host, Registry(host) as registry:
        assert registry.digest_of("ui", "one") == DIGEST
    assert tokens.logins == [None]


def test_a_token_that_opens_nothing_ends_in_an_error_and_not_a_loop(tokens: TokenRegistry) -> None:
    tokens.answer = Answer(200, body=b'{"token": "of-no-use"}')
    with served(tokens) as host, Registry(host, CREDENTIALS) as registry:
        with pytest.raises(Terminal, match="401"):
            registry.digest_of("ui", "one")
        assert len(tokens.asked) == 1


@pytest.mark.parametrize(
    "realm",
    ["http://registry.example.com/token", "ftp://127.0.0.1/token", "", "http://u:p@{host}/token", "/token", "http://["],
)
def test_the_password_goes_to_no_realm_without_tls(tokens: TokenRegistry, realm: str) -> None:
    tokens.realm = realm
    refused = pytest.raises(Terminal, match="no https address")
    with served(tokens) as host, Registry(host, CREDENTIALS) as registry, refused:
        registry.digest_of("ui", "one")
    assert tokens.asked == []


@pytest.mark.parametrize(
    ("answer", "kind", "said"),
    [
        (Answer(401), Terminal, r"401 .*\(check the user and password"),
        (Answer(403), Terminal, r"403 .*\(let these credentials pull"),
        (Answer(503), Transient, r"503 .*\(try again later"),
        (Answer(429, {"Retry-After": "9"}), Transient, "after 9 s"),
        (Answer(None), Transient, r"disconnected .*\(check the network"),
        (Answer(200, body=b"<html>"), Terminal, "no token"),
        (Answer(200, body=b"[]"), Terminal, "no token"),
        (Answer(200, body=b'{"token": "a\\r\\nb"}'), Terminal, "no token"),
    ],
)
def test_a_token_server_that_fails_is_told_apart(
    tokens: TokenRegistry, answer: Answer, kind: type[Exception], said: str
) -> None:
    tokens.answer = answer
    with served(tokens) as host, Registry(host, CREDENTIALS, retry=ONCE) as registry, pytest.raises(kind, match=said):
        registry.digest_of("ui", "one")


@pytest.mark.parametrize(
    ("answer", "kind", "said"),
    [
        (Answer(429, {"Retry-After": "7"}), Transient, "429 Too Many Requests .*after 7 s"),
        (Answer(429, {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}), Transient, "later"),
        (Answer(500), Transient, r"500 .*\(try again later"),
        (Answer(503, {"Retry-After": "30"}), Transient, "after 30 s"),
        (Answer(None), Transient, r"disconnected .*\(check the network"),
        (
            Answer(403, body=b'{"errors": [{"code": "DENIED", "message": "not\\nyours"}]}'),
            Terminal,
            r"DENIED: not yours \(let these credentials pull from and push to",
        ),
        (Answer(403, body=b'{"errors": 3}'), Terminal, "403 Forbidden \\("),
        (Answer(404), Terminal, r"404 .*\(check the name in argosy.yaml"),
        (Answer(401), Terminal, r"401 .*\(check the user and password"),
        (Answer(307, {"Location": "http://127.0.0.1:1/"}), Terminal, "307"),
    ],
)
def test_refusals_say_whether_trying_again_helps(answer: Answer, kind: type[Exception], said: str) -> None:
    with served(lambda request: answer) as host, Registry(host, retry=ONCE) as registry:
        for act in (lambda: registry.manifest("ui", "one"), lambda: registry.tag("ui", MANIFEST, "one")):
            with pytest.raises(kind, match=said):
                act()


def test_a_registry_that_hangs_is_given_up_for_now() -> None:
    release = threading.Event()

    def hang(request: Request) -> Answer:
        release.wait(20)
        return FOUND

    with served(hang) as host, Registry(host, timeout=0.2, retry=ONCE) as registry:
        try:
            with pytest.raises(Transient, match=r"timed out \(check the network"):
                registry.digest_of("ui", "one")
        finally:
            release.set()


@pytest.mark.parametrize("status", [400, 405, 409, 412])
def test_the_same_tag_again_in_an_immutable_repository_is_success(status: int) -> None:
    held = {"one": DIGEST, "two": "sha256:" + "0" * 64}

    def immutable(request: Request) -> Answer:
        tag = request.path.rpartition("/")[2]
        if request.method == "PUT":
            return Answer(status, body=b'{"errors": [{"code": "TAG_INVALID", "message": "immutable"}]}')
        return Answer(200, {"Docker-Content-Digest": held[tag]}) if tag in held else Answer(404)

    with served(immutable) as host, Registry(host) as registry:
        registry.tag("ui", MANIFEST, "one")
        for tag in ("two", "three"):
            with pytest.raises(Terminal, match=r"TAG_INVALID: immutable \(.*immutable repository cannot be moved"):
                registry.tag("ui", MANIFEST, tag)


@pytest.mark.parametrize("reference", ["one", DIGEST])
def test_bytes_that_are_not_those_of_the_digest_are_refused(reference: str) -> None:
    answer = Answer(200, FOUND.headers, CONTENT + b" ")
    refused = pytest.raises(Terminal, match=f"names {DIGEST}")
    with served(lambda request: answer) as host, Registry(host) as registry, refused:
        registry.manifest("ui", reference)


@pytest.mark.parametrize("headers", [{}, {"Docker-Content-Digest": "md5:1"}])
def test_a_registry_that_names_no_digest_is_read_instead(headers: dict[str, str]) -> None:
    answer = Answer(200, {"Content-Type": f"{MANIFEST.media_type}; charset=utf-8", **headers}, CONTENT)
    with served(lambda request: answer) as host, Registry(host) as registry:
        assert registry.digest_of("ui", "one") == DIGEST
        assert registry.manifest("ui", "one") == MANIFEST


def test_the_registry_is_asked_for_manifests_and_indexes_of_both_kinds() -> None:
    seen: list[Request] = []

    def record(request: Request) -> Answer:
        seen.append(request)
        return FOUND

    with served(record) as host, Registry(host) as registry:
        registry.retag("ui", "one", ["two"])
    assert set(seen[0].headers["accept"].split(", ")) == set(MEDIA_TYPES)
    assert (seen[1].method, seen[1].path) == ("PUT", "/v2/ui/manifests/two")
    assert (seen[1].headers["content-type"], seen[1].body) == (MANIFEST.media_type, CONTENT)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return self_signed(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def secure(certificate: Path) -> Iterator[str]:
    with served(lambda request: FOUND, server_side(certificate)) as host:
        yield host


def test_a_ca_of_ones_own_is_trusted(secure: str, certificate: Path) -> None:
    with Registry(secure, ca=certificate) as registry:
        assert registry.digest_of("ui", "one") == DIGEST


def test_a_certificate_that_nobody_vouches_for_is_no_matter_of_trying_again(secure: str) -> None:
    other = Path(certifi.where())
    with Registry(secure, ca=other) as registry, pytest.raises(Terminal, match=r"certificate .*SSL_CERT_FILE"):
        registry.digest_of("ui", "one")


def test_a_ca_file_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    for file in (tmp_path / "missing.pem", tmp_path / "ca.pem"):
        with pytest.raises(Terminal, match=rf"{file.name} .*name a PEM file"):
            Registry("127.0.0.1:1", ca=file)
