"""
Draws from the prior (samples)
==============================

Means of p(x | z) for codes z that are drawn from the prior.
"""

import vaeviz

from example_runs import open_example

vae, data = open_example("2d")
vaeviz.samples(vae)

# %%
# **What to look for.** Each picture should look like one of the data. Unclear
# pictures between two classes come from codes between their regions; wrong ones
# from regions where there are no codes, which :func:`~vaeviz.prior_holes` finds.
#
# **What commonly misleads.** These are means and not samples of p(x | z): they
# are smoother than the data, and a blurred picture may be a correct mean. A lower
# ``temperature`` draws codes nearer to the center, where pictures look better and
# vary less.

# %%
# A conditional model is drawn with one row for each condition, and the same codes
# in every row.

conditional_vae, data = open_example("conditional")
vaeviz.samples(conditional_vae)
