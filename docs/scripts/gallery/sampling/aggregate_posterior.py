"""
Codes against the prior (aggregate_posterior)
=============================================

The density of the aggregate posterior q(z), the mixture of all posteriors, with
the circles of the prior.
"""

import vaeviz

from example_runs import open_example

vae, data = open_example("2d")
vaeviz.aggregate_posterior(vae, data.x)

# %%
# **What to look for.** The contours enclose 39, 86 and 99 % of q(z), as the
# dashed circles do for the prior. Where they agree, draws from the prior are
# codes that the decoder knows. The title compares both in all dimensions, by
# the MMD, and the label of each axis in its dimension, by the KL to the prior.
#
# **What commonly misleads.** With few samples q(z) is a sum of few narrow
# posteriors, and spots and gaps are those of the samples rather than of the
# model. The legend says how far the picture is smoothed. Marginals that agree
# do not imply that q(z) does.
