"""Samples and what is known about them: arrays in memory or on disk, labels, sample kinds, data sets by name.

May import `vaeviz.plugins` and `vaeviz.errors`.
"""
