"""
Codes of two dimensions (latent_scatter)
========================================

The posterior mean of every sample in two latent dimensions, colored by label.
"""

import vaeviz

from example_runs import open_example

vae, data = open_example("2d")
vaeviz.latent_scatter(vae, data.x, labels=data.labels)

# %%
# **What to look for.** Classes that are apart can be distinguished by the code
# alone. Classes that share a region are similar for the model. The dashed
# circles are 1, 2 and 3 standard deviations of the prior: codes should fill
# them, neither crowd the center nor lie far outside.
#
# **What commonly misleads.** A point is a mean, and a posterior has a width,
# which :func:`~vaeviz.posterior_ellipses` draws. Above two dimensions only the
# two most active ones are drawn, and classes that overlap here may be apart in
# the others: look at :func:`~vaeviz.latent_pairs`. Points hide each other where
# they are dense, so they are drawn in random order.

# %%
# Samples without a label are gray and drawn first. ``highlight`` brings chosen
# classes forward.

vaeviz.latent_scatter(
    vae, data.x, labels=data.labels, highlight=("3", "8")
)

# %%
# Labels that are real numbers are a continuous scale: here a known factor, the slant
# of a digit. Any column of yours works the same.

vaeviz.latent_scatter(vae, data.x, labels=data.factors["slant"])
