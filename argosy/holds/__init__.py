"""Holds: the file that keeps them, what is asked for, and what each covers."""
