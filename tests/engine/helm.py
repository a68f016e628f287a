"""A machine with a helm on PATH, for the tests: the stand-in, what it was asked, and charts for it."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from argosy.gitops.helm import Helm
from argosy.gitops.render_check import RenderCheck
from argosy.gitops.writer import Writer
from argosy.settings.target_mode import RenderMode

_PROGRAM = "helm_stand_in.py"
DEPLOYMENT = """\
kind: Deployment
spec:
  containers:
    - name: main
      image: "{{ .Values.image.repository }}:{{ .Values.image.tag }}"
"""


def chart(service: str, template: str = DEPLOYMENT, folder: str = "src/{}/chart") -> dict[str, str | None]:
    """What makes the values files of a service of the shop a chart."""
    place = folder.format(service)
    return {
        f"{place}/Chart.yaml": f"apiVersion: v2\nname: {service}\nversion: 0.1.0\n",
        f"{place}/templates/deployment.yaml": template,
    }


@dataclass(frozen=True, slots=True)
class Bench:
    """A folder with the program, and the folder of a run in which charts are rendered."""

    bin: Path
    scratch: Path

    @classmethod
    def at(cls, folder: Path) -> Bench:
        bench = cls(folder / "bin", folder / "run")
        for each in (bench.bin, bench.scratch):
            each.mkdir()
        shutil.copy(Path(__file__).with_name(_PROGRAM), bench.bin)
        # By a shell: a folder's name may hold what no first line of a program takes.
        (bench.bin / "helm").write_text(f'#!/bin/sh\nexec "{sys.executable}" -IS "{bench.bin / _PROGRAM}" "$@"\n')
        (bench.bin / "helm").chmod(0o755)
        return bench

    @property
    def helm(self) -> Helm:
        found = Helm.find({"PATH": f"{self.bin}:{os.defpath}"})
        assert found
        return found

    def check(self, mode: RenderMode = "auto", **how: Any) -> RenderCheck:
        return RenderCheck(mode, replace(self.helm, **how), lambda: self.scratch)

    def rendering(self, writer: Writer, mode: RenderMode = "auto", **how: Any) -> Writer:
        """The writer, which renders what it edits."""
        return replace(writer, render_check=self.check(mode, **how))

    @property
    def calls(self) -> list[dict[str, Any]]:
        """What the program was asked, in its order."""
        file = self.bin / "calls"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    @property
    def rendered(self) -> Counter[str]:
        """How often each service was rendered."""
        return Counter(call["asked"][1] for call in self.calls)
