"""
Samples and reconstructions (reconstruction_pairs)
==================================================

Samples above their reconstructions, each decoded from its posterior mean.
"""

import vaeviz

from example_runs import open_example

vae, data = open_example("2d")
vaeviz.reconstruction_pairs(vae, vae, data.x, labels=data.labels)

# %%
# **What to look for.** What is lost: thin strokes, texture, a class that turns
# into another one. With labels, every class is shown; if there are too many,
# the title says how many are.
#
# **What commonly misleads.** These are a few samples of the whole set, chosen
# by the seed: :func:`~vaeviz.reconstruction_error` measures all and shows the
# worst. Sharp reconstructions say nothing about samples from the prior. An
# autoencoder without KL reconstructs best of all.
