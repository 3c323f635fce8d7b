"""
How training went (training_curves)
===================================

The ELBO, the log-likelihood and the KL by epoch, on training and test data.
"""

import vaeviz

from example_runs import run_folder

vaeviz.training_curves(run_folder("2d") / "history.csv")

# %%
# **What to look for.** An ELBO that still rises or a loss that still falls:
# train longer. A gap between training and test data that grows: the model
# overfits. A KL near 0 that stays there: the code is not used (posterior
# collapse).
#
# **What commonly misleads.** An ELBO can be compared only with ELBOs of the
# same data under the same likelihood. Early epochs would set the scale, so they
# may be cut; the axis says so, and ``cut=False`` shows them.
