"""
Known factors (disentanglement)
===============================

The information of each latent dimension on each known factor, and four scores of
disentanglement beside their values for shuffled factors. The images are ellipses of
known size and position.
"""

import vaeviz

from example_runs import open_example

vae, data = open_example("factors")
vaeviz.disentanglement(vae, data.x, data.factors, max_points=600)

# %%
# **What to look for.** One dark cell in each row, in columns of their own, is a
# disentangled code. A factor whose row is pale everywhere is not encoded by any
# single dimension, though all together may hold it: see the score "DCI inform.".
#
# **What commonly misleads.** Scores of different papers measure different things
# and cannot be compared with each other. A score far above its value for shuffled
# factors shows that the factor is encoded, and not that the axes are the right
# ones. Correlated factors make all scores hard to read.

# %%
# A traversal shows the same: one dimension, one factor.

vaeviz.traversal(vae, vae, data.x)
