"""Text that others wrote, as a terminal or a page may show it."""

from __future__ import annotations


def printable(text: str, keep: str = "") -> str:
    """The same with escapes in place of the characters that are not printable and not among those to `keep`."""
    return "".join(c if c.isprintable() or c in keep else ascii(c)[1:-1] for c in text)
