"""
Active, collapsed or ignored (latent_triage)
============================================

Each latent dimension by its KL, by the variance of its posterior mean, and by its
effect on what is decoded.
"""

import vaeviz

from example_runs import open_example

vae, data = open_example("10d-beta")
vaeviz.latent_triage(vae, vae, data.x)

# %%
# **What to look for.** Dimensions below the dashed threshold of one of the
# upper panels are collapsed: they carry hardly any information about a sample.
# A dimension that is above in both and below in the last panel is encoded, but
# ignored by the decoder.
#
# **What commonly misleads.** A collapsed dimension is not a fault by itself: a
# VAE prunes dimensions that cost more than they bring. The KL of a dimension is
# no measure of what it changes in the picture, which is why the last panel
# exists. The axes are logarithmic.
