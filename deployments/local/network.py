"""The network of a private container engine: a bridge a stack, so that two at once never share one."""

from __future__ import annotations

import ipaddress
import subprocess
from pathlib import Path

from argosy.errors import Terminal

_NET = Path("/sys/class/net")
_CANDIDATES = range(30, 256)


def create(owner: str, busybox: Path) -> str:
    """Make the first bridge `argosy<N>` that nobody has, with 172.30.N.1/24, and return its name.

    `owner` is written on it, for `delete`. Raises Terminal when no candidate can be made.
    """
    for number in _CANDIDATES:
        if _routed(ipaddress.IPv4Network(f"172.30.{number}.0/24")):
            continue
        name = f"argosy{number}"
        # Two stacks that choose at the same moment: the kernel lets one of them make this name.
        refused = _ip(busybox, "link", "add", name, "type", "bridge")
        if refused and (_NET / name).exists():
            continue
        if refused:
            raise Terminal(f"cannot make bridge {name}: {refused}", remedy="start Docker, or run this as root")
        (_NET / name / "ifalias").write_text(owner)
        _set_up(name, number, owner, busybox)
        return name
    raise Terminal("no subnet of 172.30.0.0/16 is free for the container engine", remedy="see `ip route`")


def owned(owner: str) -> list[str]:
    """The names of the bridges that `owner` made and that still exist."""
    return [alias.parent.name for alias in sorted(_NET.glob("argosy*/ifalias")) if _read(alias).strip() == owner]


def delete(owner: str, busybox: Path) -> None:
    """Delete every bridge that `owner` made."""
    for name in owned(owner):
        _ip(busybox, "link", "set", name, "down")
        refused = _ip(busybox, "link", "del", name)
        if refused and (_NET / name).exists():
            raise Terminal(f"cannot delete bridge {name}: {refused}", remedy=f"ip link del {name}")


def _set_up(name: str, number: int, owner: str, busybox: Path) -> None:
    for step in (("addr", "add", f"172.30.{number}.1/24", "dev", name), ("link", "set", name, "up")):
        if refused := _ip(busybox, *step):
            delete(owner, busybox)
            raise Terminal(f"cannot set up bridge {name}: {refused}", remedy="start Docker, or run this as root")


def _ip(busybox: Path, *arguments: str) -> str | None:
    # busybox brings its own `ip`: a small system may have none.
    done = subprocess.run([busybox, "ip", *arguments], capture_output=True, text=True, check=False)
    return None if done.returncode == 0 else done.stderr.strip() or f"ip ended with {done.returncode}"


def _read(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:  # the interface went away meanwhile
        return ""


def _routed(subnet: ipaddress.IPv4Network) -> bool:
    """Whether a route other than the default one leads into `subnet`."""
    for line in Path("/proc/net/route").read_text().splitlines()[1:]:
        fields = line.split()
        destination, mask = (int.from_bytes(bytes.fromhex(fields[column]), "little") for column in (1, 7))
        if mask and subnet.overlaps(ipaddress.IPv4Network((destination, mask.bit_count()))):
            return True
    return False
