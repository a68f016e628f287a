"""Surgical edits of YAML files: only the characters of the scalars that are meant change."""
