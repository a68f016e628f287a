"""Prefect blocks: credentials and connections, each owning its client."""
