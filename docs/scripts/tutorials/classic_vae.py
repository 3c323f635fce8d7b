"""
The classic VAE
===============

A fully connected variational autoencoder of images: what it maximizes, how it is
trained, what its latent space looks like, what it reconstructs, and what it
generates. Only the name of the data set changes for MNIST:
``vaeviz.load_data("mnist")`` downloads it once.
"""

# %%
# Data
# ----
# Images are arrays (N, H, W) in [0, 1]. Labels are used to color figures, and
# never for training.

import matplotlib.pyplot as plt
import vaeviz
import vaeviz_models

from example_runs import DATA, EPOCHS

train = vaeviz.load_data(DATA, split="train")
test = vaeviz.load_data(DATA, split="test")
print(f"train {train.x.shape}, test {test.x.shape}")

# %%
# What a VAE maximizes
# --------------------
# A code :math:`z` of a few numbers is drawn from the prior :math:`p(z) =
# \mathcal{N}(0, I)`, and an image from :math:`p(x \mid z)`, whose parameters the
# decoder computes. The likelihood of an image, :math:`p(x) = \int p(x \mid z)\,
# p(z)\, dz`, cannot be computed. So the encoder computes the mean and the
# variance of a Gaussian :math:`q(z \mid x)`, and training maximizes a lower bound
# of :math:`\ln p(x)`, the ELBO:
#
# .. math::
#
#    \ln p(x) \;\ge\; \mathbb{E}_{q(z \mid x)}[\ln p(x \mid z)] \;-\; \mathrm{KL}[q(z \mid x) \,\Vert\, p(z)]
#
# The first term asks for codes from which the image can be reconstructed. The
# second is the price of the information in the code, in nats. :doc:`Every formula
# with its code and its test </explanation/vae>` is on a page of its own.

# %%
# Model and training
# ------------------
# One hidden layer of 512 units on either side of two latent dimensions, pixels as
# Bernoulli probabilities, and Adam. ``seeded`` makes the first weights depend on
# the seed alone.

vae = vaeviz_models.seeded(
    vaeviz_models.mlp, train.x.shape[1:], seed=0, latent_dim=2
)
history = vaeviz_models.fit(vae, train.x, test.x, epochs=EPOCHS)
vaeviz.training_curves(history)

# %%
# Both curves of the ELBO should rise and flatten. If the one of the test images
# falls again, the model overfits. The KL is what the code costs: near 0, the
# decoder would ignore it.

# %%
# Latent space
# ------------
# Each test image at the mean of its posterior. Images of one class lie together,
# although the model has seen no label.

vaeviz.latent_scatter(vae, test.x, labels=test.labels)

# %%
# The whole plane can be decoded, too. All cells have the same mass of the prior, so the
# share of the area that a class covers is its share of draws from the prior.

vaeviz.manifold_grid(vae)

# %%
# Reconstructions
# ---------------
# An image above, and below it what the decoder makes of its code. Two numbers per
# image keep the class and some of the style, and lose detail.

vaeviz.reconstruction_pairs(vae, vae, test.x, labels=test.labels)

# %%
# Generation
# ----------
# Codes from the prior, decoded. Pictures between two classes come from codes
# between their regions.

vaeviz.samples(vae)

# %%
# Walking from one code to another changes one image into the other.

vaeviz.interpolation(vae, vae, test.x, labels=test.labels, n_paths=3)

# %%
# Is it healthy?
# --------------
# The same questions as numbers, each with its error, and a threshold whose source
# is :doc:`explained </explanation/analysis>`.

vaeviz.analyze(vae, test.x, labels=test.labels, seed=0)

# %%
# A figure for a paper
# --------------------
# Every plot draws into an Axes of yours, and ``style`` sets the sizes of print.

with vaeviz.style("paper"):
    figure, axes = plt.subplots(
        1, 2, figsize=(6.5, 3), layout="constrained"
    )
    vaeviz.latent_scatter(
        vae, test.x, labels=test.labels, title=False, ax=axes[0]
    )
    vaeviz.manifold_grid(vae, title=False, ax=axes[1])
