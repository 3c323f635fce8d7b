"""Plots: one a file, named after it."""
