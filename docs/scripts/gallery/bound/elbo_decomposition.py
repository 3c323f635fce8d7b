"""
What the KL is spent on (elbo_decomposition)
============================================

The KL as the sum of mutual information, total correlation and the KL of each
dimension.
"""

import vaeviz

from example_runs import open_example

vae, data = open_example("10d")
vaeviz.elbo_decomposition(vae, data.x)

# %%
# **What to look for.** Mutual information is what the code says about a sample.
# The other two parts are the distance of the aggregate posterior from the prior,
# so they are paid for nothing, and they should be small.
#
# **What commonly misleads.** N samples cannot show a mutual information above ln
# N, the dashed line. If the code distinguishes nearly all samples, mutual
# information is a lower bound and total correlation an upper bound; the figure
# says so, and only more samples help.
