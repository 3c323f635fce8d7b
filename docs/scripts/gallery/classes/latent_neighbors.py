"""
Do neighbors share a label? (latent_neighbors)
==============================================

How well the nearest neighbors in latent space predict the label of a sample, in
all dimensions and without a map.
"""

import vaeviz

from example_runs import open_example

vae, data = open_example("10d")
vaeviz.latent_neighbors(vae, data.x, data.labels)

# %%
# **What to look for.** A dark diagonal means that classes form regions of their
# own. Off the diagonal are pairs of classes that the code confuses. The curve
# should be above that of a PCA with as many dimensions, or the latent space
# adds nothing for this purpose.
#
# **What commonly misleads.** An accuracy is high by itself if one class is most
# of the data: the dashed line is its share. Distances are those in all latent
# dimensions, also in those that have nothing to do with the labels. Labels that
# were never used for training may well have nothing to do with the code.
