"""What images are built from: the list of it at any commit, its digest, and its export as a build context."""
