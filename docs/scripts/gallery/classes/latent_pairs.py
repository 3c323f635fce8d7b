"""
Every pair of dimensions (latent_pairs)
=======================================

Posterior means in every pair of active latent dimensions, with the density of
each class along the diagonal.
"""

import vaeviz

from example_runs import open_example

vae, data = open_example("10d")
vaeviz.latent_pairs(
    vae, data.x, labels=data.labels, dims=("z1", "z2", "z3", "z4")
)

# %%
# **What to look for.** A class that is apart in one panel is apart. Densities on
# the diagonal show which single dimension separates which classes. Panels should
# look like the prior, whose contours are dashed, when all classes are taken
# together.
#
# **What commonly misleads.** A class that overlaps others in every panel may
# still be separate: panels show pairs, and classes can be apart in three
# dimensions or more. Accuracy of neighbors in :func:`~vaeviz.latent_neighbors`
# uses all dimensions. The axes of a VAE are arbitrary up to how the posterior
# breaks the symmetry, so a second run may show other panels.
