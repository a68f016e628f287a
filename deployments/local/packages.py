"""Debian and Ubuntu packages unpacked into a folder, with the system's apt and without installing anything."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from filelock import FileLock

from argosy.errors import ArgosyError, Terminal, Transient

_ETC = Path("/etc/apt")
# Index targets that nobody asked for, the hooks of other programs and apt's own sandbox user, who may not enter a
# private folder, are left out; proxies, credentials and keys of the system's configuration stay in force.
_CONFIGURATION = """\
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear Acquire::IndexTargets::deb::Contents-deb;
#clear Acquire::IndexTargets::deb::DEP-11;
#clear Acquire::IndexTargets::deb::CNF;
#clear Acquire::IndexTargets::deb-src::Sources;
APT::Sandbox::User "";
Acquire::Languages "none";
Acquire::Retries "3";
Dir::Etc::SourceParts "{folder}/sources";
Dir::Etc::Preferences "{folder}/preferences";
Dir::Etc::PreferencesParts "/dev/null";
Dir::State::Lists "{folder}/lists";
Dir::Cache "{folder}/cache";
"""


def release() -> tuple[str, str]:
    """The running distribution's family (`debian`, `ubuntu` or its own id) and the codename of its release."""
    about = platform.freedesktop_os_release()
    kinds = [about["ID"], *about.get("ID_LIKE", "").split()]
    family = next((kind for kind in ("ubuntu", "debian") if kind in kinds), about["ID"])
    return family, about.get("UBUNTU_CODENAME") or about.get("VERSION_CODENAME", "")


def unpack(names: Sequence[str], cache: Path) -> Path:
    """Return the folder in `cache` that holds the unpacked `names`, made on the first call.

    A name is apt's own: `runc`, or `docker.io/trixie` for another release's. The folder is complete or absent,
    whoever else unpacks at the same time. Raises Terminal without apt or when a package is unknown, Transient
    when a download fails; both quote apt.
    """
    missing = [tool for tool in ("apt-get", "dpkg") if not shutil.which(tool)]
    if missing:
        raise Terminal(
            f"cannot unpack {', '.join(names)}: {' and '.join(missing)} not found",
            remedy="use Debian or Ubuntu, or start a Docker Engine and point DOCKER_HOST at it",
        )
    key = "\n".join([*sorted(names), *release(), platform.machine()])
    root = cache / f"root-{hashlib.sha256(key.encode()).hexdigest()[:12]}"
    if root.is_dir():
        return root
    cache.mkdir(parents=True, exist_ok=True, mode=0o700)
    with FileLock(cache / "packages.lock"):
        if not root.is_dir():
            _unpack(names, root)
    return root


def _unpack(names: Sequence[str], root: Path) -> None:
    for left in root.parent.glob("unpacking-*"):  # the lock is ours: whoever made it was killed
        shutil.rmtree(left)
    with tempfile.TemporaryDirectory(prefix="unpacking-", dir=root.parent) as work:
        unpacked = Path(work) / "root"
        for package in _download(names, Path(work)):
            _run(["dpkg", "-x", str(package), str(unpacked)], Path(work))
        unpacked.rename(root)


def _download(names: Sequence[str], work: Path) -> list[Path]:
    _configure({suite for _, _, suite in (name.partition("/") for name in names) if suite}, work)
    apt = ["apt-get", "-c", str(work / "apt.conf"), "-qq"]
    warnings = ""
    try:
        warnings = _run([*apt, "update"], work)
    except ArgosyError as error:  # one broken source of a third party must not matter: the download decides
        warnings = error.message
    _run([*apt, "download", *names], work, warnings)
    return sorted(work.glob("*.deb"))


def _configure(suites: set[str], work: Path) -> None:
    for folder in ("lists/partial", "cache/archives/partial", "sources"):
        (work / folder).mkdir(parents=True)
    for source in (_ETC / "sources.list.d").glob("*"):
        if source.suffix in {".list", ".sources"}:
            shutil.copy(source, work / "sources")
    pins = []
    for suite in sorted(suites):
        form, text = _source(suite)
        (work / "sources" / f"argosy-{suite}.{form}").write_text(text)
        # Named packages come from that release, and no unnamed one does.
        pins.append(f"Package: *\nPin: release n={suite}\nPin-Priority: 1\n")
    (work / "preferences").write_text("\n".join(pins))
    (work / "apt.conf").write_text(_CONFIGURATION.format(folder=work))


def _source(suite: str) -> tuple[str, str]:
    """The system's own source of its release, made one of `suite`: same mirror, same keys; and its file format."""
    own = release()[1]
    for file in sorted((_ETC / "sources.list.d").glob("*.sources")):
        for stanza in re.split(r"\n\s*\n", file.read_text()):
            if re.search(r"^Types:.*\bdeb\b", stanza, re.M) and re.search(rf"^Suites:\s*{own}(?:\s|$)", stanza, re.M):
                return "sources", re.sub(r"^Suites:.*", f"Suites: {suite}", stanza, flags=re.M) + "\n"
    for file in [_ETC / "sources.list", *sorted((_ETC / "sources.list.d").glob("*.list"))]:
        text = file.read_text() if file.is_file() else ""
        if line := re.search(rf"^(deb\s+(?:\[[^]]*\]\s+)?\S+)\s+{own}(\s+main\b.*)$", text, re.M):
            return "list", f"{line[1]} {suite}{line[2]}\n"
    raise Terminal(f"no apt source of {own} found to take {suite} from", remedy=f"see {_ETC}/sources.list.d")


def _run(command: Sequence[str], cwd: Path, before: str = "") -> str:
    environment = {**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(
        command, cwd=cwd, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    said = " | ".join(line for line in f"{before}\n{done.stderr}".splitlines() if line.strip())
    if done.returncode == 0:
        return said
    tool = command[0]
    if re.search(r"Failed to fetch|Unable to (fetch|connect)|Could not resolve|Temporary failure", said):
        raise Transient(f"{tool} could not download: {said[-2000:]}", remedy="check the network and apt's sources")
    raise Terminal(f"{tool} failed: {said[-2000:]}", remedy="see the message of apt; nothing was installed")
