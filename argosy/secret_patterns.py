"""What secrets look like, for those whose value nobody here was told."""

from __future__ import annotations

import re
from dataclasses import dataclass

MASK = "***"
"""What stands where a secret stood."""

KEY_BEGINS = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
KEY_ENDS = re.compile(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")

_NAMES = r"password|passwd|passphrase|secret|token|api[_-]?key|access[_-]?key|auth[_-]?string"
_CLOSE = r"\\{0,2}[\"']"


@dataclass(frozen=True, slots=True)
class Pattern:
    """A shape of secrets: only text with one of `signs` (in lower case) is searched; group 1, where matched, stays."""

    signs: tuple[str, ...]
    expression: re.Pattern[str]

    def mask(self, text: str, lowered: str) -> str:
        """`text` with the secrets of this shape masked; `lowered` is it in lower case."""
        if not any(sign in lowered for sign in self.signs):
            return text
        return self.expression.sub(lambda match: (match[1] or "") + MASK, text)


def _pattern(signs: str, expression: str, flags: int = re.IGNORECASE) -> Pattern:
    return Pattern(tuple(signs.split()), re.compile(expression, flags))


# No expression begins with an open repetition: each looks at a character a bounded number of times.
PATTERNS = (
    _pattern("private", rf"(){KEY_BEGINS.pattern}.*?(?:{KEY_ENDS.pattern}|\Z)", re.DOTALL),
    # A whole header, whatever its scheme: up to the end of its line or of the string that it is in.
    _pattern(
        "authorization", rf"(authorization(?:{_CLOSE})?\s*(?:[:=]|(?<=[\"'])\s*,)\s*(?:b?{_CLOSE})?)[^\r\n\"'\\]+"
    ),
    _pattern("bearer basic", r"(\b(?:bearer|basic) +)[A-Za-z0-9+/._~=-]{16,}"),
    # name=value, "name": "value", and name: value where the value looks like nothing but a secret.
    _pattern("pass secret token key auth", rf"((?:{_NAMES})\w{{0,20}} ?= ?(?:{_CLOSE})?)(?!=)[^\s\"'&,;\\]{{4,}}"),
    _pattern("pass secret token key auth", rf"((?:{_NAMES})\w{{0,20}}{_CLOSE}\s*:\s*{_CLOSE})[^\"'\\]+"),
    _pattern("pass secret token key auth", rf"((?:{_NAMES})\w{{0,20}}: ?)(?=\S*\d)[A-Za-z0-9+/=_.~-]{{16,}}(?!\S)"),
    _pattern('auth"', r"(\"auth\"\s*:\s*\")[A-Za-z0-9+/=]+"),  # docker's config.json
    _pattern("akia asia", r"()\b(?:AKIA|ASIA)[A-Z0-9]{16}\b", 0),
    _pattern("x-amz-", r"(X-Amz-(?:Signature|Credential|Security-Token)=)[^&\s\"']+"),
    _pattern("://", r"((?<=://))[^\s/\"'<>@:]{0,100}:[^\s/\"'<>]+(?=@)"),
    _pattern("://", r"((?<=://))[^\s/\"'<>@:]{20,}(?=@)"),
    _pattern("ghp_ gho_ ghu_ ghs_ ghr_", r"()\bgh[pousr]_[A-Za-z0-9]{20,}", 0),
    _pattern("github_pat_", r"()\bgithub_pat_[A-Za-z0-9_]{20,}", 0),
    _pattern("pnu_ pnb_", r"()\bpn[ub]_[A-Za-z0-9]{20,}", 0),  # Prefect's API keys
    _pattern("eyj", r"()\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*", 0),  # Argo CD's tokens are JWTs
)
