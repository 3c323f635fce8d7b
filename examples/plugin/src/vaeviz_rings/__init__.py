"""Rings, and what looks at them: a plug-in for vaeviz."""
