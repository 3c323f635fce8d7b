"""
Errors by class (reconstruction_error)
======================================

Reconstruction errors by label, the worst and the median cases, and how well the
error tells other data apart.
"""

import vaeviz

from example_runs import open_example

vae, data = open_example("2d")
vaeviz.reconstruction_error(
    vae, vae, data.x, labels=data.labels, other_x=data.x[:, ::-1]
)

# %%
# **What to look for.** A class with a high box is badly represented. Look at
# the worst cases for mislabeled or broken samples. With other data, the ROC
# curve shows how well the error separates them from the data: an area of 0.5 is
# chance.
#
# **What commonly misleads.** The mean squared error rewards blur and depends on
# the brightness of a sample, so classes with more ink have larger errors. A
# high area under the ROC for one kind of other data does not carry over to
# another kind.
