"""Embedding engines: one a file. Each is a function of the file's name from codes (N, D) to a map (N, 2)."""
