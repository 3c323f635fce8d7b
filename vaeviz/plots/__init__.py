"""The built-in plots, one per file and named after it.

A plot encodes, computes, draws and labels. It may import every room below: drawing, embeddings, analysis, model, data
and plugins.
"""
