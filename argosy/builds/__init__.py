"""Building images: the client and where it builds, its command lines, what it prints and what a failure means."""
