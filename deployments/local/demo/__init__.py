"""The demo: a whole stack, three releases on it, and the proof of what they claim."""

from deployments.local.demo.story import demonstrate

__all__ = ["demonstrate"]
