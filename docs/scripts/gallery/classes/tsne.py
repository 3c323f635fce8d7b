"""
A map of many dimensions (tsne)
===============================

A two-dimensional map of the posterior means that keeps neighbors together, by
t-SNE.
"""

import vaeviz

from example_runs import open_example

vae, data = open_example("10d")
vaeviz.tsne(vae, data.x, labels=data.labels, max_points=500)

# %%
# **What to look for.** Islands of one color are groups of samples whose nearest
# neighbors in latent space have the same label. The line below the map says how
# far neighborhoods on the map can be trusted.
#
# **What commonly misleads.** Sizes of islands, distances between them and empty
# space between them mean nothing. t-SNE draws clusters even in data that have
# none if the perplexity is low. Change ``perplexity`` and ``seed``, and believe
# what stays. :func:`~vaeviz.map_quality` shows which points to believe.

# %%
# Another engine draws another map: ``"pca"`` is linear, and its distances can be
# read.

vaeviz.tsne(vae, data.x, labels=data.labels, engine="pca")
