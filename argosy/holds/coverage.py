"""Whether a hold covers what a release would write: a content is told by its digest, or by its source commit."""

from __future__ import annotations

from argosy.inputs.comparison import compare
from argosy.inputs.digests import Digests
from argosy.models import ContentDigest, Hold


def covers(hold: Hold, digests: Digests, source_sha: str, content: ContentDigest | None = None) -> bool:
    """Whether `hold` covers the content that its service has at `source_sha`, `content` where that is known.

    Where the recipe has changed since, the content is told by the hold's commit.
    """
    name = hold.service
    if hold.digest is None and hold.commit is None:
        return True
    held = ContentDigest(hold.digest, hold.recipe) if hold.digest else None
    if held and (held == content or digests.recorded(source_sha, name, held)):
        return True
    at_hand = hold.commit is not None and digests.git.is_commit(hold.commit)
    compared = compare(digests, source_sha, {name: hold.commit}) if hold.commit and at_hand else {}
    return name in compared and compared[name].same
