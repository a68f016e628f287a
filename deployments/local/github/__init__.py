"""A stand-in for GitHub's API over the repositories of the stack's git server: what Argosy asks of it, and no more."""
