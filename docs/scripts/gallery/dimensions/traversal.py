"""
What a dimension changes (traversal)
====================================

Decoded samples as one latent dimension moves and the others are held, one row for
each dimension.
"""

import vaeviz

from example_runs import open_example

vae, data = open_example("10d")
vaeviz.traversal(vae, vae, data.x)

# %%
# **What to look for.** A row in which one thing changes (a slant, a width) is a
# dimension with a meaning. Rows without any change belong to dimensions that
# the decoder ignores. The number at each row is its mean KL, or the variance of
# the codes of a deterministic encoder.
#
# **What commonly misleads.** What a dimension does depends on where the others
# are held; the title names the sample. Try several with ``around``. A row can
# show a smooth change of many things at once, and this is the common case:
# nothing makes the axes of a plain VAE meaningful.

# %%
# ``change=True`` draws the difference to the middle column, which shows small
# effects.

vaeviz.traversal(vae, vae, data.x, change=True)
