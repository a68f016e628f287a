"""GitHub's API: pull requests of rolling branches, and commits that GitHub makes."""
