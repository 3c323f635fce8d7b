"""Phrases that the titles of several plots share."""

from __future__ import annotations


def sample_count(shown: int, total: int, noun: str = "samples") -> str:
    """Return ``N = 1,000``, or ``500 of 1,000 samples`` for a subsample."""
    return f"N = {total:,}" if shown == total else f"{shown:,} of {total:,} {noun}"
