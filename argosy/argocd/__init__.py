"""Argo CD: its API, its documents, and whether it brought a release up healthy."""
