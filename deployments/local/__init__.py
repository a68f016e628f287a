"""The embedded stack: every part of a release's world, real wherever it can be, on 127.0.0.1."""
