"""
Two latent spaces, aligned (compare)
====================================

The same samples in two latent spaces, the second shifted, rotated and scaled to
fit the first. Here the two runs differ in their seed only.
"""

import vaeviz

from example_runs import open_example

vae, data = open_example("2d")
second_vae, _ = open_example("2d-again")
vaeviz.compare(vae, data.x, second_vae, labels=data.labels)

# %%
# **What to look for.** Classes at the same places mean that both runs found the
# same arrangement. The line below measures it three ways, with the value for
# shuffled samples in brackets: the similarity CKA, the variance that the
# alignment leaves, and the share of common neighbors.
#
# **What commonly misleads.** Two runs of one model usually differ: a latent space
# is known up to rotation and reflection at best, so never compare raw coordinates
# or axes between runs. Neighbors can agree where the global arrangement does not,
# as the numbers then show.
