"""Plots, one per file, named after it."""
