"""The helm program, which renders charts here: offline, and with nothing of the user's configuration."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from argosy.errors import Terminal
from argosy.gitops.chart_export import Unrenderable
from argosy.processes.captured import Captured, TooMuch, capture
from argosy.processes.supervised import TimedOut
from argosy.redact import redact

LARGEST = 32 * 1024 * 1024
"""How many bytes a chart may render to."""
_SECONDS = 60.0
_LONGEST_NAME = 53
"""The longest name that Helm gives a release."""
_LINES, _CHARACTERS = 5, 1000
# What this machine lacks, and the place where the chart runs may well have.
_ELSEWHERE = {
    "missing in charts/": "commit what `helm dependency build` puts into its charts folder: nothing is downloaded here",
    "incompatible with Kubernetes": "install a helm of the version that the chart's kubeVersion asks for",
}
_CORRECT = "correct the chart or its values, see them with `helm template`, or set charts.render_check to off"


class Unrendered(Terminal):
    """A chart does not render, or to something without the image that was written into its values."""


def unrendered(why: str) -> Unrendered:
    """The Unrendered of a chart that does not render, for that reason."""
    return Unrendered(why, remedy=_CORRECT)


@dataclass(frozen=True, slots=True)
class Helm:
    """The `program` that renders, and the PATH that it is given."""

    program: Path
    path: str
    seconds: float = _SECONDS
    largest: int = LARGEST

    @classmethod
    def find(cls, variables: Mapping[str, str]) -> Helm | None:
        """The helm that is on the PATH of `variables`; None where there is none."""
        path = variables.get("PATH", os.defpath)
        found = shutil.which("helm", path=path)
        return cls(Path(found).absolute(), path) if found else None

    def render(self, name: str, chart: Path, values: str, home: Path) -> str:
        """The documents that the chart in the folder `chart` renders to, with the file `values` beside its own.

        `home` is a new folder, for helm alone. Raises Unrendered, and Unrenderable where that is no fault of the
        chart's.
        """
        home.mkdir(mode=0o700)
        release = name[:_LONGEST_NAME].rstrip("-")
        command = [str(self.program), "template", release, str(chart), "--values", str(chart / values)]
        try:
            done = capture(
                command, environment=_environment(self.path, home), folder=home, timeout=self.seconds,
                largest=self.largest,
            )  # fmt: skip
        except TimedOut as error:
            raise unrendered(f"helm did not end within {self.seconds:.0f} s") from error
        except TooMuch as error:
            raise unrendered(f"it renders to more than {self.largest} bytes") from error
        except OSError as error:
            raise Unrenderable(f"{self.program} does not run: {error.strerror}", remedy="install it anew") from error
        if done.status:
            raise _failed(done, chart)
        return done.output.decode(errors="replace")


def _environment(path: str, home: Path) -> dict[str, str]:
    """Nothing of ours but where programs are: no configuration, plugin, cluster or proxy of the user's."""
    folders = {f"HELM_{what}_HOME": str(home / what.lower()) for what in ("CACHE", "CONFIG", "DATA")}
    plugins = {"HELM_PLUGINS": str(home / "plugins"), "HELM_NO_PLUGINS": "1"}
    return {"PATH": path, "HOME": str(home), "TMPDIR": str(home), "LC_ALL": "C.UTF-8"} | folders | plugins


def _failed(done: Captured, chart: Path) -> Terminal:
    said = redact(done.errors.decode(errors="replace")).replace(f"{chart}/", "").replace(str(chart), "the chart")
    lines = [line for line in said.splitlines() if line.strip()]
    last = "\n".join(lines[-_LINES:])[-_CHARACTERS:] or f"nothing, and ended with status {done.status}"
    for sign, remedy in _ELSEWHERE.items():
        if sign in said:
            return Unrenderable(f"helm said {last}", remedy=remedy)
    return unrendered(f"helm said {last}")
