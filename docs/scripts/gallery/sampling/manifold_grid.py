"""
The decoded plane (manifold_grid)
=================================

Samples decoded over a grid in two latent dimensions. The nodes divide the prior
into cells of equal mass.
"""

import vaeviz

from example_runs import open_example

vae, data = open_example("2d")
vaeviz.manifold_grid(vae)

# %%
# **What to look for.** Neighboring pictures should change gradually. An abrupt
# change is a border between classes. All cells have the same mass of the prior,
# so the share of the area that a class covers is its share of draws from the
# prior.
#
# **What commonly misleads.** The grid spans the prior and not the codes, so its
# corners show what is rarely drawn. Above two dimensions it is one plane of many,
# with the others held at 0. Pictures between two classes are interpolations, not
# members of the data.

# %%
# The grid has the axes of the latent space, so codes can be drawn over it.

ax = vaeviz.manifold_grid(vae, n_grid=12, spacing="linear", span=(-3, 3))
vaeviz.latent_scatter(vae, data.x, labels=data.labels, marker_size=4, ax=ax)
