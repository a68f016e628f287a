"""Scans of images: what they found, what an environment allows, and the judgement."""
