"""
How far the ELBO is below ln p(x) (likelihood_bound)
====================================================

Lower bounds of ln p(x): the ELBO, and the importance-weighted bound by the number
of samples of z.
"""

import vaeviz

from example_runs import open_example

vae, data = open_example("2d")
vaeviz.likelihood_bound(
    vae, data.x, vae.inputs["likelihood"], max_points=50
)

# %%
# **What to look for.** The distance of the curve at its right end from the ELBO
# is the least that the encoder loses. A curve that is still rising there has not
# reached ln p(x). Models can be compared by it, if all used the same number of
# samples.
#
# **What commonly misleads.** An effective sample size near 1 (right panel) means
# that a single z carries the estimate, and the bound is loose however smooth the
# curve looks. Averages hide single samples: the middle panel shows each.
