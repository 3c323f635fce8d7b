"""
Holes in the prior (prior_holes)
================================

How much of the prior is where the aggregate posterior has almost no mass, and
what is decoded there.
"""

import vaeviz

from example_runs import open_example

vae, data = open_example("2d")
vaeviz.prior_holes(vae, data.x, vae)

# %%
# **What to look for.** About 1 % of the prior would be left of the dashed line if
# codes were distributed like the prior. A larger share is what a sample from the
# prior risks. The pictures on the right show what is decoded in holes, and
# elsewhere.
#
# **What commonly misleads.** A decoder can make good pictures in a hole, or bad
# ones elsewhere: a hole is a risk, not a fault. In many dimensions with few
# samples most holes cannot be seen; the check ``holes`` of
# :func:`~vaeviz.analyze` says when this is so.
