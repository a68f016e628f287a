"""The words of `argosy.yaml` for how a commit gets to the target branch."""

from __future__ import annotations

from typing import Literal

Mode = Literal["push", "pull-request", "auto", "github-api"]
"""Pushed; by a pull request; pushed unless the branch is protected, else by a pull request; made by GitHub itself."""

Method = Literal["merge", "squash", "rebase"]
"""How GitHub merges a pull request."""
