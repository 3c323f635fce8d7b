"""
Codes with their uncertainty (posterior_ellipses)
=================================================

Posteriors of some samples in two latent dimensions, as means with ellipses of
their spread.
"""

import vaeviz

from example_runs import open_example

vae, data = open_example("2d")
vaeviz.posterior_ellipses(
    vae, data.x, labels=data.labels, n_samples=100, radius=2
)

# %%
# **What to look for.** Samples whose ellipses overlap share codes, so the
# decoder may confuse them; above two dimensions they may be apart in the
# others. The size of an ellipse shows how precise the code is: small next to
# the prior means that each sample occupies its own place; as wide as the prior
# means that a dimension is not used.
#
# **What commonly misleads.** An ellipse of 1 standard deviation holds 39 % of
# the mass in two dimensions, one of 2 holds 86 %; the title says which is
# drawn. The encoder's spread need not be the one of the true posterior: the
# check ``spread`` of :func:`~vaeviz.analyze` measures that.
