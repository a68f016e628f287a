"""A service's image reference in its values file: read by the keys that hold it, and what a release writes there."""

from __future__ import annotations

from argosy.edits.targets import Missing, find
from argosy.errors import Terminal
from argosy.models import ImageKeys, ImageReference
from argosy.yaml_files.stream import Stream
from argosy.yaml_files.text import decode

DEFAULT_KEYS = ImageKeys()


def read_reference(text: bytes, file: str, keys: ImageKeys = DEFAULT_KEYS) -> ImageReference:
    """The reference that a values file carries at `keys`, as written but for a digest; no tag is "".

    Raises Terminal, naming file and line, for a file without a repository or that `charts.edit` could not edit.
    """
    stream = Stream.read(decode(text, file)[1], file)
    if len(stream.documents) > 1:
        second = stream.documents[1].start
        raise Terminal(
            f"{file}:{stream.line(second)}: several documents in a values file",
            remedy="keep one YAML document there, without a `---` in between: Helm reads the first alone",
        )
    if keys.image:
        return _split(_value(stream, keys.image))[0]
    return ImageReference(_value(stream, keys.repository), _value(stream, keys.tag, needed=False))


def values(keys: ImageKeys, reference: ImageReference, manifest_digest: str, text: bytes, file: str) -> dict[str, str]:
    """What `charts.edit` is to set for `reference`, which names `manifest_digest`; `text` is what the file holds.

    A whole reference at one key has a digest behind the tag where it had one before: it would stay on the old image
    otherwise.
    """
    if not keys.image:
        found = {keys.repository: reference.repository, keys.tag: reference.tag}
        return found | ({keys.digest: manifest_digest} if keys.digest else {})
    now = _value(Stream.read(decode(text, file)[1], file), keys.image)
    pinned = bool(_split(now)[1])
    return {keys.image: f"{reference}@{manifest_digest}" if pinned else str(reference)}


def shown(keys: ImageKeys, reference: ImageReference | None) -> dict[str, str]:
    """What `keys` hold for `reference`, for people: without a digest, which only the built image has."""
    if keys.image:
        return {keys.image: str(reference) if reference else ""}
    return {
        keys.repository: reference.repository if reference else "",
        keys.tag: reference.tag if reference else "",
    }


def _value(stream: Stream, path: str, *, needed: bool = True) -> str:
    place = find(stream, path)
    value = "" if isinstance(place, Missing) else place.value
    if needed and not value:
        raise Terminal(
            f"{stream.file} has no {path}",
            remedy="give it a value there, or name the right file or chart.keys in argosy.yaml",
        )
    return value


def _split(image: str) -> tuple[ImageReference, str]:
    """The reference and the digest of `repository:tag@digest`, of which only the repository has to be there."""
    name, _, digest = image.partition("@")
    repository, colon, tag = name.rpartition(":")
    if not colon or "/" in tag:  # the colon of a port
        repository, tag = name, ""
    return ImageReference(repository, tag), digest
