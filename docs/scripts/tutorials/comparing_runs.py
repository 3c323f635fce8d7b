"""
Comparing runs
==============

Two trainings of one model differ in their seed, and two models in their settings.
This page asks what is the same in their latent spaces, and what is better.
"""

# %%
# The same model, another seed
# ----------------------------
# Coordinates of two runs cannot be compared: a latent space is known up to a
# rotation or reflection at best. ``compare`` aligns them first.

import vaeviz

from example_runs import open_example, run_folder

first, data = open_example("2d")
second, _ = open_example("2d-again")
vaeviz.compare(first, data.x, second, labels=data.labels)

# %%
# The line below the figure has three numbers, each beside its value for shuffled
# samples. CKA and the variance left by the alignment concern the whole
# arrangement, the shared neighbors the small scale. Two runs can agree in one and
# not in the other.

# %%
# More than chance?
# -----------------
# The accuracy of ten neighbors in both runs, with the standard error over the samples. Runs with
# other seeds scatter more than this error, so a difference between two single
# runs is evidence of little.

reports = {
    name: vaeviz.analyze(run_folder(name), data.x, labels=data.labels)
    for name in ("2d", "2d-again")
}
for name, report in reports.items():
    check = report["classes"]
    print(f"{name:<9} accuracy {check.value:.4f} ± {check.error:.4f}")

# %%
# Other settings
# --------------
# More dimensions buy a lower distortion for a higher rate, and a larger weight of
# the KL does the opposite. Models on one gray line have the same ELBO.

vaeviz.rate_distortion(
    [run_folder(name) for name in ("2d", "10d", "10d-beta")]
)

# %%
# Dimensions that survive
# -----------------------
# With a larger weight of the KL, dimensions that do not pay are given up. The
# mean KL of each dimension, sorted:

import numpy as np

for name in ("10d", "10d-beta"):
    model, _ = open_example(name)
    kl = vaeviz.encode(model, data.x).kl().mean(axis=0)
    print(f"{name:<8}", np.sort(kl)[::-1].round(3))

# %%
# As figures of the two models:

vaeviz.traversal(
    open_example("10d")[0], open_example("10d")[0], data.x, max_dims=4
)

# %%
vaeviz.traversal(
    open_example("10d-beta")[0],
    open_example("10d-beta")[0],
    data.x,
    max_dims=4,
)
