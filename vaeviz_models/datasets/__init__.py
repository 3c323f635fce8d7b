"""Data sets, registered by name in the group ``vaeviz.datasets``.

A loader is a function ``loader([argument], *, split, ...) -> Dataset``. Its options are those of `vaeviz.load_data`:
`split`, `data_dir`, `labels`, `value_range`. It raises `NoSuchSplit` for a split that it does not have.
"""
