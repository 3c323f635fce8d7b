"""Shared parts of plots: scatters, grids of samples, densities, colors, legends, latent axes and styles.

May import `vaeviz.embeddings` and the rooms below it.
"""
