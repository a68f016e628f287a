"""The kinds of failed builds, as the design document has them."""

from __future__ import annotations

from enum import StrEnum


class Category(StrEnum):
    """What a failed build failed of; the last two may pass, and are tried again."""

    DOCKER = "Docker build failure"
    DEPENDENCIES = "dependency resolution"
    RESOURCES = "resource constraint"
    NETWORK = "network connectivity"
