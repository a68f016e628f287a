"""The one redaction: no text that leaves Argosy holds a secret, whether its value is known or only its shape."""

from __future__ import annotations

import json
import re
import threading
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

from pydantic import SecretStr

from argosy.secret_patterns import KEY_BEGINS, KEY_ENDS, MASK, PATTERNS

__all__ = ["MASK", "Lines", "Redaction", "redact", "remember"]

_SHORTEST = 6
"""Shorter values are words: masking each would leave no log to read, and guard nothing."""
_KEY_LINES = 120  # of a PEM block: 4096 bits of RSA are 50
_KEY_LINE = re.compile(r"(?:[A-Za-z0-9+/]{16,}={0,2}|[A-Za-z0-9+/]+={1,2})\s*$")


class Redaction:
    """Masks the secrets that it was told, in clear, base64, URL-encoded and quoted, and what looks like one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: frozenset[str] = frozenset()
        self._plain: tuple[str, ...] = ()
        self._encoded: dict[str, re.Pattern[str]] = {}

    def remember(self, *secrets: SecretStr | str | bytes | None) -> None:
        """Mask these values from now on; a key of several lines is masked line by line, blanks around a value stay."""
        found = {line for each in secrets for line in _lines(_text(each))}
        with self._lock:
            if found <= self._known:
                return
            self._known |= found
            self._plain = _longest_first(form for line in self._known for form in _forms(line))
            encoded = _longest_first(form for line in self._known for form in _in_base64(line))
            self._encoded = {form: _base64_run(form) for form in encoded}

    def __call__(self, text: str) -> str:
        """`text` with every secret masked; it never raises."""
        for form in self._plain:
            if form in text:
                text = text.replace(form, MASK)
        for form, run in self._encoded.items():
            if form in text:
                text = run.sub(MASK, text)
        lowered = text.lower()
        for pattern in PATTERNS:
            text = pattern.mask(text, lowered)
        return text


redact = Redaction()
"""The redaction of this process: whoever unwraps a secret tells it by `remember`."""
remember = redact.remember


class Lines:
    """A text that arrives line by line, where a private key that nobody knows is masked although it spans lines."""

    def __init__(self, redaction: Redaction = redact) -> None:
        self._redaction = redaction
        self._left = 0

    def __call__(self, line: str) -> str:
        """The next line, redacted."""
        begun = KEY_BEGINS.search(line)
        ended = KEY_ENDS.search(line, begun.end() if begun else 0)
        inside, self._left = self._left > 0, max(self._left - 1, 0)
        if begun or ended:
            self._left = _KEY_LINES if begun and not ended else 0
        if inside and not begun:
            line = _KEY_LINE.sub(MASK, line)
        return self._redaction(line)


def _text(secret: SecretStr | str | bytes | None) -> str:
    value = secret.get_secret_value() if isinstance(secret, SecretStr) else secret or ""
    return value.decode(errors="surrogateescape") if isinstance(value, bytes) else value


def _lines(value: str) -> Iterator[str]:
    lines = (line.strip() for line in value.splitlines())
    return (line for line in lines if len(line) >= _SHORTEST and not line.startswith("-----"))


def _longest_first(forms: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(forms), key=lambda form: (-len(form), form)))


def _forms(value: str) -> Iterator[str]:
    """`value` in clear, URL-encoded, and as JSON and Python quote it."""
    data = value.encode(errors="surrogatepass")
    yield value
    for encoded in (quote(data, safe=""), quote(data), quote_plus(data)):
        yield encoded
        yield re.sub(r"%[0-9A-F]{2}", lambda match: match[0].lower(), encoded)
    yield from (json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1])
    yield from (repr(value)[1:-1], repr(data)[2:-1])


def _in_base64(value: str) -> Iterator[str]:
    """What base64 makes of `value` wherever it begins: the characters that hold bits of it alone."""
    data = value.encode(errors="surrogatepass")
    for before in range(3):
        whole = slice(-(-before * 8 // 6), (before + len(data)) * 8 // 6)
        for encode in (b64encode, urlsafe_b64encode):
            form = encode(b"\0" * before + data).decode()[whole]
            if len(form) >= _SHORTEST:
                yield form


def _base64_run(form: str) -> re.Pattern[str]:
    """`form` with what surrounds it: its neighbours hold the rest of the secret's bits."""
    return re.compile(rf"[A-Za-z0-9+/_-]{{0,3}}{re.escape(form)}[A-Za-z0-9+/_=-]*")
