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
# change is a border between classes. By default, all cells have the same mass
# of the prior, so the share of the area that a class covers is its share of
# draws from the prior.
#
# **What commonly misleads.** The grid follows the prior and not the codes, so a
# picture may be decoded from a place without codes. Above two dimensions it is
# one plane of many, and the title says where the other dimensions are held.
# Pictures between two classes are interpolations, not members of the data.

# %%
# The grid has the axes of the latent space, so codes can be drawn over it.

ax = vaeviz.manifold_grid(vae, n_grid=12, spacing="linear", span=(-3, 3))
vaeviz.latent_scatter(
    vae, data.x, labels=data.labels, marker_size=3, legend=False, ax=ax
)
