"""YAML files read in one pass: their data, and where each value stands."""
