"""What `argosy doctor` checks before a release: each check is a function that returns findings."""
