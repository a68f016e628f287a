"""Writing back: the mirror of a target, signed commits, and how they get there among many writers."""
