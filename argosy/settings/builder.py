"""What `argosy.yaml` says of where images are built, and of what a build may take."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from argosy.builds.options import Builder, Limits
from argosy.settings.names import BlockName, Branch
from argosy.settings.section import Section

_SIZE = r"[1-9][0-9]{0,9}(KB|MB|GB|TB)"
_UNITS = {"KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_ADDRESS = r"(tcp://[A-Za-z0-9.-]+:[0-9]{1,5}|unix:///[^\s]+)"
_LOOPBACK = {"127.0.0.1", "localhost"}
_NO_LIMIT = (
    "BuildKit has no limit of memory or processors for one build: name a builder that was made with "
    "--driver-opt memory=... in builder.name, or a control group that has them in build.limits.cgroup_parent"
)


def _size(value: str) -> str:
    if not re.fullmatch(_SIZE, value):
        raise ValueError("must be a whole number with KB, MB, GB or TB, such as 20GB")
    return value


def _address(value: str) -> str:
    if not re.fullmatch(_ADDRESS, value):
        raise ValueError("must be tcp://HOST:PORT or unix:///PATH")
    return value


def _told(pattern: str) -> Any:
    return Field(json_schema_extra={"pattern": f"^{pattern}$"})


Size = Annotated[str, AfterValidator(_size), _told(_SIZE)]
Address = Annotated[str, AfterValidator(_address), _told(_ADDRESS)]
BuilderName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
CgroupParent = Annotated[str, Field(pattern=r"^/?[A-Za-z0-9_][A-Za-z0-9_.@/-]*$")]
UlimitName = Annotated[str, Field(pattern=r"^[a-z]+$")]
Count = Annotated[int, Field(ge=1)]


def in_bytes(size: str) -> int:
    """The bytes that a size such as `20GB` stands for."""
    return int(size[:-2]) * _UNITS[size[-2:]]


class LimitsConfig(Section):
    """What the steps of a build may take of the builder's machine."""

    cgroup_parent: CgroupParent | None = Field(
        None, description="The control group below which they run: its limits of memory and processors hold for them."
    )
    shm_size: Size | None = Field(None, description="The size of their /dev/shm, such as 256MB.")
    ulimits: dict[UlimitName, Count] = Field(
        {}, description="The resource limits of each of their processes, such as {nofile: 4096}."
    )

    @model_validator(mode="before")
    @classmethod
    def _to_be_had(cls, data: Any) -> Any:
        if isinstance(data, Mapping) and {"memory", "cpus"} & data.keys():
            raise ValueError(_NO_LIMIT)
        return data

    def limits(self) -> Limits:
        """The same, as a build takes it."""
        shm = in_bytes(self.shm_size) if self.shm_size else None
        return Limits(self.cgroup_parent, shm, tuple(sorted(self.ulimits.items())))


class BuilderConfig(Section):
    """Where an environment's images are built; by the engine of its docker block unless name or address is given."""

    name: BuilderName | None = Field(None, description="A builder of the worker's buildx (docker buildx create).")
    address: Address | None = Field(None, description="The address of a BuildKit daemon: tcp://HOST:PORT.")
    tls: BlockName | None = Field(None, description="The BuildKit TLS block with the files that open that address.")
    concurrency: Count | None = Field(None, description="How many images a run builds at once; all unless given.")
    cache_size: Size | None = Field(
        None, description="What the builder's own cache is cut to after a run, such as 20GB; left alone unless given."
    )
    cache_branches: tuple[Branch, ...] | None = Field(
        None,
        strict=False,
        description="Branches whose registry cache is used besides the source's; the default branch unless given.",
    )

    @model_validator(mode="after")
    def _one_place(self) -> BuilderConfig:
        if self.name and self.address:
            raise ValueError("has a name and an address: builds run in one place, so leave one of them out")
        if self.tls and not (self.address or "").startswith("tcp:"):
            raise ValueError("has tls without a tcp:// address: TLS is between the worker and that address")
        parts = urlsplit(self.address or "")
        if parts.scheme == "tcp" and not self.tls and parts.hostname not in _LOOPBACK:
            raise ValueError("has a tcp:// address without tls: secrets and logins would cross the network in clear")
        return self

    def builder(self) -> Builder:
        """The same, as a release takes it."""
        size = in_bytes(self.cache_size) if self.cache_size else None
        return Builder(self.name, self.address, self.tls, self.concurrency, size, self.cache_branches)
