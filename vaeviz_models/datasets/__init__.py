"""Data sets, registered by name in the group ``vaeviz.datasets``.

A loader is a function ``loader([argument], *, split, ...) -> Dataset``. It raises `NoSuchSplit` for a split that it
does not have.
"""
