"""The variational autoencoder, and the two that are registered by name."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from vaeviz.errors import UnknownName
from vaeviz_models.likelihoods import LIKELIHOODS
from vaeviz_models.models.builders import register_model
from vaeviz_models.networks import Activation, ConvDecoder, ConvEncoder, DenseDecoder, DenseEncoder, check_sizes
from vaeviz_models.objectives import gaussian_kl, reparameterize

LikelihoodName = Literal["bernoulli", "gaussian", "gaussian-learned"]


class VAE(nn.Module):
    """p(x | z) p(z) with p(z) = N(0, I), and q(z | x) to approximate its posterior (Kingma & Welling 2013).

    encoder: x (N, *sample) -> mean, log-variance (N, D) each. decoder: z (N, D) -> the likelihood's parameters.
    Both are modules of their own, usable apart, and share their weights with the whole.
    capturable: whether a step of training can be captured in a CUDA graph; False for parts that look at values.
    """

    prior = "normal"
    capturable = True

    def __init__(self, encoder: nn.Module, decoder: nn.Module, likelihood: nn.Module, latent_dim: int):
        super().__init__()
        self.encoder, self.decoder, self.likelihood = encoder, decoder, likelihood
        self.latent_dim = latent_dim

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance of q(z | x), (N, D) each."""
        return self.encoder(x)

    def decode(self, z: Tensor) -> Tensor:
        """E[x | z], (N, *sample)."""
        return self.likelihood.mean(self.decoder(z))

    def forward(self, x: Tensor, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """(E[x | z], mean, log-variance) for one sample z of q(z | x)."""
        mean, log_var = self.encoder(x)
        return self.decode(reparameterize(mean, log_var, generator)), mean, log_var

    def terms(self, x: Tensor, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """(ln p(x | z), KL(q(z | x) || p(z))) in nats, summed over the batch, for one sample z of q(z | x).

        Their difference is a one-sample estimate of the ELBO (ibid., eq. 7 and 10).
        """
        mean, log_var = self.encoder(x)
        z = reparameterize(mean, log_var, generator)
        return self.likelihood.total(self.decoder(z), x), gaussian_kl(mean, log_var).sum()

    def log_likelihood(self, x: Tensor, z: Tensor) -> Tensor:
        """ln p(x | z) of each pair, (N,), in nats."""
        return self.likelihood.log_prob(self.decoder(z), x)


@register_model
def mlp(
    sample_shape: tuple[int, ...],
    *,
    latent_dim: int = 2,
    hidden: tuple[int, ...] = (512,),
    activation: Activation = "relu",
    likelihood: LikelihoodName = "bernoulli",
    std: float = 1.0,
) -> VAE:
    """The reference VAE: dense, D-512-(mean, log-variance) and back, with ReLU.

    std: of a Gaussian likelihood; where it is learned, its first value.
    """
    check_sizes(latent_dim=latent_dim, hidden=hidden)
    return VAE(
        DenseEncoder(sample_shape, latent_dim, hidden, activation=activation),
        DenseDecoder(sample_shape, latent_dim, hidden, activation),
        make_likelihood(likelihood, std),
        latent_dim,
    )


@register_model
def conv(
    sample_shape: tuple[int, ...],
    *,
    latent_dim: int = 2,
    channels: tuple[int, ...] = (32, 64),
    likelihood: LikelihoodName = "bernoulli",
    std: float = 1.0,
) -> VAE:
    """A convolutional VAE for images (H, W) or (H, W, C), halving the image with each of the `channels`."""
    check_sizes(latent_dim=latent_dim, channels=channels)
    return VAE(
        ConvEncoder(sample_shape, latent_dim, channels),
        ConvDecoder(sample_shape, latent_dim, channels),
        make_likelihood(likelihood, std),
        latent_dim,
    )


def make_likelihood(name: str, std: float) -> nn.Module:
    """The likelihood of that name; `std` matters to the Gaussian ones alone."""
    if name not in LIKELIHOODS:
        raise UnknownName("likelihood", name, LIKELIHOODS)
    return LIKELIHOODS[name]() if name == "bernoulli" else LIKELIHOODS[name](std)
