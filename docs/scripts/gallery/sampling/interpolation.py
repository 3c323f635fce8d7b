"""
Paths between two samples (interpolation)
=========================================

Paths between the codes of two samples, decoded step by step. The first and the
last column are the samples themselves.
"""

import vaeviz

from example_runs import open_example

vae, data = open_example("10d")
vaeviz.interpolation(vae, vae, data.x, labels=data.labels)

# %%
# **What to look for.** Every step should look like a sample. A path that passes
# through gray mixtures of both ends crosses a region without codes.
#
# **What commonly misleads.** A straight path in many dimensions passes nearer
# to the center than most codes are; ``method="slerp"`` follows the sphere.
# Smooth paths alone are no proof of a good model: a blend of pixels is smooth,
# too. Where paths join samples, compare the steps with those at both ends.

# %%
# Paths between two chosen classes:

vaeviz.interpolation(
    vae, vae, data.x, labels=data.labels, between=("4", "9"), n_paths=3
)
