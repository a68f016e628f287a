"""What the last lines of a failed step say went wrong, in the words of the programs that builds run."""

from __future__ import annotations

import re
from collections.abc import Sequence

_KILLED = "exit code: 137"
_RESOURCES = re.compile(
    r"no space left on device|cannot allocate memory|out of memory|OutOfMemoryError|OOMKilled|disk quota exceeded|"
    r"\b(?:ENOSPC|ENOMEM)\b|Killed signal terminated program",
    re.IGNORECASE,
)
# A step's own output says "connection refused" of its tests too: only what a program cannot mean otherwise, and what
# package managers say of their own servers.
_NETWORK = re.compile(
    r"temporary failure (?:in name resolution|resolving)|could not resolve host|TLS handshake timeout|i/o timeout|"
    r"\bEAI_AGAIN\b|Could not connect to [^\n]*(?:timed out|unreachable|refused)|"
    r"npm (?:ERR!|error) (?:code (?:E(?:NOTFOUND|CONN\w+|TIMEDOUT|429|5\d\d)|ERR_SOCKET_TIMEOUT)|network )|"
    r"\bERR_PNPM_META_FETCH_FAIL\b|trouble with your network connection|"
    r"after connection broken by|\bHTTP error (?:429|5\d\d)\b|Read timed out\. \(read timeout|"
    r"client error \(Connect\)|error sending request for url|"
    r"Could not transfer [^\n]*(?:Unknown host|Connect to|Connection|timed out|status(?: code)?:? (?:429|5\d\d)\b)|"
    r"Could not (?:GET|HEAD) '[^\n]*(?:429|5\d\d) |> (?:java\.net\.)?UnknownHostException|"
    r"> Connect to [^\n]* failed|"
    r"go: [^\n]*(?:dial tcp|: reading https?://\S+: (?:429|5\d\d)\b)|"
    r"E: Failed to fetch [^\n]* (?:429|5\d\d)\b|temporary error \(try again later\)|"
    r"network error \(check Internet connection|spurious network error|"
    r"unable to resolve host address|wget: bad address|curl: \((?:6|7|28|35|52|56)\) |curl error (?:6|7|28|35|52|56)\b|"
    r"Could not reach host|Network error while fetching|error NU1301\b",
    re.IGNORECASE,
)
_MANAGERS = {
    "npm": r"npm (?:ERR!|error) code (?:ERESOLVE|ETARGET|E404|ENOVERSIONS)\b|"
    r"npm (?:ERR!|error) [^\n]*`npm ci` can only",
    "yarn": r"Couldn't find (?:package|any versions for) |\bYN00(?:27|28|35|82):|"
    r"Your lockfile needs to be updated",
    "pnpm": r"\bERR_PNPM_(?:NO_MATCHING_VERSION\w*|FETCH_404|OUTDATED_LOCKFILE|PEER_DEP_ISSUES|NO_VERSIONS)\b",
    "pip": r"ResolutionImpossible|No matching distribution found for |"
    r"these package versions have conflicting dependencies",
    "uv": r"No solution found when resolving|The lockfile at `?uv\.lock`? needs to be updated",
    "poetry": r"SolverProblemError|[Vv]ersion solving failed|changed significantly since poetry\.lock",
    "maven": r"Could not resolve dependencies for project |Could not find artifact |"
    r"Non-resolvable (?:parent POM|import POM)|Plugin [^\n]* or one of its dependencies could not be resolved",
    "gradle": r"Could not resolve all (?:\w+ )*(?:files|dependencies|artifacts) for |> Could not find [\w.-]+:[\w.-]+:",
    "go": r"\bunknown revision\b|no matching versions for query|missing go\.sum entry|updates to go\.mod needed|"
    r"cannot find module providing package|no required module provides package|go: [^\n]*: checksum mismatch|"
    r"go: [^\n]*: reading \S+: 404 Not Found",
    "apt": r"E: Unable to locate package |E: Version '[^']*' for '[^']*' was not found|has no installation candidate|"
    r"The following packages have unmet dependencies|you have held broken packages",
    "apk": r"unable to select packages|unsatisfiable constraints",
    "dnf": r"Unable to find a match: |No match for argument: |No package [^\n]* available",
    "cargo": r"failed to select a version for |no matching package named |failed to get `[^`]*` as a dependency|"
    r"the lock file [^\n]* needs to be updated",
    "bundler": r"Could not find gem |could not find compatible versions|"
    r"Could not find [^\n]* in (?:any of the sources|locally)",
    "composer": r"could not be resolved to an installable set of packages|"
    r"Could not find (?:a matching version of )?package |Required package \"[^\"]*\" is not present in the lock file",
    "nuget": r"error NU1(?!301)\d{3}\b",
}
_DEPENDENCIES = {name: re.compile(pattern) for name, pattern in _MANAGERS.items()}


def out_of_resources(exit_code: str, lines: Sequence[str]) -> bool:
    """Whether the step ended for want of memory or disk; 137 is the kernel's or the engine's SIGKILL."""
    return exit_code == _KILLED or any(_RESOURCES.search(line) for line in lines)


def off_the_network(lines: Sequence[str]) -> bool:
    """Whether a program of the step did not get through to a server of its own."""
    return any(_NETWORK.search(line) for line in lines)


def unresolved(lines: Sequence[str]) -> str | None:
    """The package manager that found no versions to install; None where none says so."""
    said = "\n".join(lines)
    return next((name for name, pattern in _DEPENDENCIES.items() if pattern.search(said)), None)
