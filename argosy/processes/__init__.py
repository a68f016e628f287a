"""Programs and threads that leave nothing behind, whatever happens to the run."""
