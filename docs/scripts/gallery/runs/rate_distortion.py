"""
Several runs by rate and distortion (rate_distortion)
=====================================================

Models by the rate of their codes and the distortion of what they decode. Gray
lines have equal ELBO.
"""

import vaeviz

from example_runs import run_folder

vaeviz.rate_distortion(
    [run_folder(name) for name in ("2d", "10d", "10d-beta")]
)

# %%
# **What to look for.** Toward the lower left both are better. Along a gray line a
# model trades one for the other, which is what β does. A point at a rate of 0 has
# collapsed.
#
# **What commonly misleads.** A single run of a model is one draw: seeds scatter,
# and a difference of their size means nothing. Only models of the same data and
# likelihood can be compared. A better ELBO is not a better representation.
