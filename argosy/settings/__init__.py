"""The sections of `argosy.yaml`: what each takes, its schema, and where each setting comes from."""
