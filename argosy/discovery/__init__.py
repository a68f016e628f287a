"""What a repository has to release, found out from its files: the ground of `argosy init`."""
