"""Which texts are secrets, whether their value is known or only their shape, and which are none."""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Callable
from urllib.parse import quote, quote_plus, unquote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from argosy.git import failed
from argosy.redact import MASK, Lines, Redaction, remember
from deployments.local.signing import SigningKey

SECRET = 'p/4ss+w0rd "ä&b='
TOKEN = "Zq81hVbYtLc0aXw9"
WRITINGS: dict[str, Callable[[str], str]] = {
    "clear": str,
    "basic": lambda secret: base64.b64encode(f"AWS:{secret}".encode()).decode(),
    "basic, another alignment": lambda secret: base64.b64encode(f"a-bot:{secret}".encode()).decode(),
    "basic, the third": lambda secret: base64.b64encode(f"robot:{secret}".encode()).decode(),
    "docker": lambda secret: json.dumps({"auths": {"r": {"auth": base64.b64encode(secret.encode()).decode()}}}),
    "urlsafe": lambda secret: base64.urlsafe_b64encode(f"{secret}{secret}".encode()).decode(),
    "url": lambda secret: f"https://h/?t={quote(secret, safe='')}",
    "path": lambda secret: f"https://h/{quote(secret)}",
    "form": lambda secret: f"t={quote_plus(secret)}",
    "lower": lambda secret: re.sub("%..", lambda code: code[0].lower(), quote(secret, safe="")),
    "json": lambda secret: json.dumps({"t": secret}),
    "repr": lambda secret: repr([secret, secret.encode()]),
}


def leaks(secret: str, text: str) -> bool:
    """Whether half of the secret, in any writing, is still in the text."""
    half = len(secret) // 2
    parts = [secret[i : i + half] for i in range(len(secret) - half + 1)]
    encoded = [base64.b64encode(b"\0" * n + secret.encode()).decode()[4:-4] for n in range(3)]
    read = [text, unquote_plus(text), text.replace("\\", "")]
    return any(part in each for part in [*parts, *encoded, json.dumps(secret)[1:-1]] for each in read)


@pytest.mark.parametrize("writing", WRITINGS)
@pytest.mark.parametrize("secret", [SECRET, TOKEN])
def test_a_known_secret_is_masked_however_it_is_written(writing: str, secret: str) -> None:
    redact = Redaction()
    text = f"before {WRITINGS[writing](secret)} after"
    redact.remember(SecretStr(secret))
    assert leaks(secret, text)
    masked = redact(text)
    assert not leaks(secret, masked), masked
    assert masked.startswith("before ")
    assert masked.endswith(" after")
    assert MASK in masked


@given(st.text(min_size=6, alphabet=st.characters(exclude_categories=["Cs", "Zs", "Cc", "Zl", "Zp"])), st.text())
def test_a_known_secret_never_stays_in_clear_or_in_base64(secret: str, around: str) -> None:
    redact = Redaction()
    redact.remember(secret)
    if secret in around or secret in MASK:
        return
    encoded = base64.b64encode(f"{around}{secret}".encode(errors="replace")).decode()
    assert secret not in redact(f"{around}\n{secret}\n{around}")
    assert encoded not in redact(f"x {encoded}")


@given(st.text())
def test_no_text_makes_it_raise(text: str) -> None:
    redact = Redaction()
    redact.remember(text, None, "")
    Lines(redact)(redact(text))


def test_of_a_key_every_line_is_masked_wherever_it_stands() -> None:
    key = SigningKey.generate().private
    redact = Redaction()
    redact.remember(key)
    lines = [line for line in key.get_secret_value().splitlines() if not line.startswith("-----")]
    assert len(lines) > 3
    whole = base64.b64encode(key.get_secret_value().encode()).decode()
    for line in [*lines, whole, quote(key.get_secret_value()), json.dumps(key.get_secret_value())]:
        assert not any(each in redact(f"#7 0.2 {line} done") for each in lines)
    assert whole[40:120] not in redact(whole)


SHAPES = {
    "Authorization: Basic QVdTOnNlY3JldA==": "QVdTOnNlY3JldA==",
    "> authorization: AWS4-HMAC-SHA256 Credential=x/y, Signature=feed": "feed",
    "{'Authorization': 'Bearer abc.def'}": "abc.def",
    "(b'Authorization', b'Basic c2hvcnQ=')": "c2hvcnQ=",
    "curl -H 'Proxy-Authorization: Basic c2hvcnQ='": "c2hvcnQ=",
    "sent Bearer 0123456789abcdefXYZ to it": "0123456789abcdefXYZ",
    "AKIAIOSFODNN7EXAMPLE is the id": "AKIAIOSFODNN7EXAMPLE",
    "ENV AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG": "wJalrXUtnFEMI/K7MDENG",
    "aws_session_token = IQoJb3JpZ2luX2VjEJr": "IQoJb3JpZ2luX2VjEJr",
    '{"SecretAccessKey": "wJalr XUtn"}': "wJalr",
    '"{\\"password\\": \\"hunter2hunter2\\"}"': "hunter2hunter2",
    "GITHUB_TOKEN: 9f8e7d6c5b4a39281706f5e4": "9f8e7d6c5b4a39281706f5e4",
    "https://bot:hunter2@git.example/shop.git": "hunter2",
    "https://bot:hun@ter2@git.example/shop.git": "ter2",
    "https://0123456789012345678901234@git.example/": "0123456789012345678901234",
    "https://s3/x?X-Amz-Signature=0011aabb&a=b": "0011aabb",
    "ghp_0123456789abcdefghijklmnopqrstuvwxyz": "ghp_0123",
    "github_pat_11ABCDEFG0123456789_abcdefghijklmnop": "11ABCDEFG",
    "pnu_0123456789abcdefghijklmnopqrstuvwxyz": "pnu_0123",
    "argocd.token=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhcmdvIn0.c2ln": "eyJhbGciOiJIUzI1NiJ9",
    '{"auths": {"r:5000": {"auth": "QVdTOnM="}}}': "QVdTOnM=",
    "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEE\n-----END EC PRIVATE KEY-----": "MHcCAQEE",
    "-----BEGIN OPENSSH PRIVATE KEY-----\\nb3BlbnNz": "b3BlbnNz",
    "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nlFgEZ0\n=abcd\n-----END PGP PRIVATE KEY BLOCK-----": "lFgEZ0",
}


@pytest.mark.parametrize("text", SHAPES)
def test_what_looks_like_a_secret_is_masked_though_nobody_told_it(text: str) -> None:
    masked = Redaction()(text)
    assert SHAPES[text] not in masked, masked
    assert MASK in masked


@pytest.mark.parametrize(
    "text",
    [
        "ui: https://127.0.0.1:5000/v2/shop/ui/manifests/content-0123456789abcdef refuses the credentials (renew it)",
        "https://git.example/shop.git cannot be reached: Could not resolve host: git.example",
        "ssh://git@github.com/acme/shop.git and git@github.com:acme/shop.git",
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "asking for an authorization token: AWS does not answer",
        "the Argo CD token is no token (it is one line without blanks: copy it again)",
        "no basic auth credentials; Basic authentication is required; if token == other:",
        "renew the token: https://argocd.example/settings, secrets: none",
        "#8 [build 2/3] RUN make passwords-are-hard",
    ],
)
def test_ordinary_words_stay(text: str) -> None:
    redact = Redaction()
    redact.remember("none", "AWS", "", None)  # too short to be masked
    assert redact(text) == text


def test_what_git_says_is_clean() -> None:
    remember(SECRET)
    error = failed("push", f"remote: {SECRET} may not push")
    assert (error.stderr, SECRET in str(error)) == ("remote: *** may not push", False)


def test_a_private_key_is_masked_over_lines_and_what_is_between_them_stays() -> None:
    key = SigningKey.generate().private.get_secret_value().splitlines()
    clean = Lines(Redaction())
    output = [clean(f"#7 0.{n} {line}") for n, line in enumerate(key)] + [clean("#7 DONE 0123456789abcdef")]
    assert not [line for line in key[1:-1] if line in "\n".join(output)]
    assert output[-1] == "#7 DONE 0123456789abcdef"


def test_a_long_build_log_costs_little() -> None:
    redact = Redaction()
    redact.remember(*[SigningKey.generate().private for _ in range(2)], *[f"{TOKEN}{n}" for n in range(10)])
    line = "#12 3.456 npm http fetch GET 200 https://registry.example/@scope%2fpackage 123ms (cache miss) " * 2
    began = time.process_time()
    for _ in range(5_000):
        redact(line)
    assert (time.process_time() - began) / 5_000 < 0.001  # a build writes hundreds of lines a second, not thousands


@pytest.mark.parametrize("text", ["a" * 200_000, "A=" * 100_000, "://" * 70_000, "eyJ" * 70_000, "token" * 40_000])
def test_no_line_takes_for_ever(text: str) -> None:
    redact = Redaction()
    redact.remember(TOKEN)
    began = time.process_time()
    redact(text + base64.b64encode(TOKEN.encode()).decode())
    assert time.process_time() - began < 2
