"""Embedding engines: one a file. Each is a function of the file's name from codes (N, D) to a map (N, 2).

One that can place further codes (M, D) into its map returns (map, place) instead, with `place` from codes to (M, 2).
"""
