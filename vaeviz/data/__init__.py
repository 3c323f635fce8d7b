"""Samples and what is known about them: arrays in memory or on disk, labels, sample kinds, data sets by name.

Samples enter in three steps. `as_array` turns any array into a NumPy array; `as_samples` does the same but leaves
samples on disk as a `SampleStream`; `check_samples` then checks their shape and values. May import `vaeviz.plugins` and
`vaeviz.errors`.
"""
