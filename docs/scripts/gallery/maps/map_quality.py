"""
Which points of a map to believe (map_quality)
==============================================

A map colored by how far each point can be trusted, and how the map keeps
neighborhoods of every size.
"""

import vaeviz

from example_runs import open_example

vae, data = open_example("10d")
vaeviz.map_quality(vae, data.x)

# %%
# **What to look for.** Red points have neighbors on the map that are far away in
# latent space. On the right, solid lines are the map, dashed ones a PCA and
# dotted ones a random map: a map is worth its trouble where it is above the PCA.
#
# **What commonly misleads.** Good small neighborhoods say nothing about the
# arrangement of the islands: read the curves at the size of neighborhood that you
# interpret. Trustworthiness punishes false neighbors and continuity lost ones; a
# map can be good at one of them only.
