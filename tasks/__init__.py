"""Prefect tasks: one file a stage, with its retries, timeouts, run names and artifacts."""
