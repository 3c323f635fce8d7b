"""
The health of a latent space
============================

Figures show what is there. A report says how much of it, with an error, and
whether that is a reason to worry. This page reads the report of a model with
planted defects.
"""

# %%
# A healthy model
# ---------------
# The optimum of a linear VAE is known in closed form, so it is a control: its
# posteriors are exact.

import numpy as np
import vaeviz

x = np.random.default_rng(0).standard_normal((1000, 6)) * np.sqrt(
    [6, 4, 3, 0.4, 0.4, 0.4]
)
vae = vaeviz.fitted_linear_vae(x, 3)
vaeviz.analyze(vae, x, likelihood=vae.log_likelihood, title="healthy")

# %%
# Every number has a standard error. *Uncertain* is an answer of its own: within
# two errors of the threshold, worse than a simple baseline, or with too few
# samples to see a defect. A check that does not apply says what is missing.

# %%
# Two defects
# -----------
# The posterior of the third dimension is made too narrow, and the decoder ignores
# the second dimension.


def encoder(x):
    """Return a posterior whose third dimension is too narrow."""
    mean, log_var = vae.encode(x)
    return mean * [1, 1, 0.4], log_var + [0, 0, np.log(0.4**2)]


def decoder(z):
    """Ignore the second dimension."""
    return vae.decode(z * [1, 0, 2.5])


def likelihood(x, z):
    """Return ln p(x | z) of this decoder."""
    return vae.log_likelihood(x, z * [1, 0, 2.5])


report = vaeviz.analyze(
    encoder=encoder,
    decoder=decoder,
    x=x,
    likelihood=likelihood,
    title="two defects",
)
report

# %%
# ``ignored`` names the second dimension, and ``marginals`` the third, whose codes
# are narrower than the prior. ``holes`` sees the region that these codes leave
# empty.

report["ignored"].numbers["effect"].round(3).tolist()

# %%
# Look at it
# ----------
# Most checks have a figure that shows the same numbers. This one is about
# collapsed and ignored dimensions.

vaeviz.latent_triage(encoder, decoder, x)

# %%
# This one shows the codes against the prior, in the first and the third dimension.

vaeviz.aggregate_posterior(
    vaeviz.Encoder(encoder, returns="mean,log_var", prior="normal"),
    x,
    dims=("z1", "z3"),
)

# %%
# Thresholds are options
# ----------------------
# Most thresholds are conventions. Name your own, and use the result in a script.

strict = vaeviz.analyze(
    vae,
    x,
    checks=["marginals", "holes"],
    settings={"holes": {"max_mass": 0.02}},
)
strict.to_frame()[
    ["name", "status", "value", "error", "threshold"]
].round(4)

# %%
strict.names_with_status("flagged")
