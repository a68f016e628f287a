"""The words of `argosy.yaml` for how a commit gets to the target branch, and what is seen to before."""

from __future__ import annotations

from typing import Literal

Mode = Literal["push", "pull-request", "auto", "github-api"]
"""Pushed; by a pull request; pushed unless the branch is protected, else by a pull request; made by GitHub itself."""

Method = Literal["merge", "squash", "rebase"]
"""How GitHub merges a pull request."""

RenderMode = Literal["auto", "required", "off"]
"""Each edited chart is rendered before the commit: where there is a helm, always, or never."""
