"""The plain autoencoder: no posterior, no prior, no KL; and the two that are registered by name."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vaeviz_models.models.builders import register_model
from vaeviz_models.models.vae import LikelihoodName, make_likelihood
from vaeviz_models.networks import Activation, ConvDecoder, ConvEncoder, DenseDecoder, DenseEncoder, check_sizes


class Autoencoder(nn.Module):
    """A deterministic code z = f(x), decoded and scored by a likelihood: -ln p(x | f(x)) is its loss.

    encoder: x (N, *sample) -> codes (N, D). decoder: z (N, D) -> the likelihood's parameters.
    """

    prior = None
    capturable = True

    def __init__(self, encoder: nn.Module, decoder: nn.Module, likelihood: nn.Module, latent_dim: int):
        super().__init__()
        self.encoder, self.decoder, self.likelihood = encoder, decoder, likelihood
        self.latent_dim = latent_dim

    def encode(self, x: Tensor) -> Tensor:
        """The codes, (N, D)."""
        return self.encoder(x)

    def decode(self, z: Tensor) -> Tensor:
        """E[x | z], (N, *sample)."""
        return self.likelihood.mean(self.decoder(z))

    def forward(self, x: Tensor) -> Tensor:
        """The reconstructions, (N, *sample)."""
        return self.decode(self.encode(x))

    def terms(self, x: Tensor, generator: torch.Generator | None = None) -> tuple[Tensor, None]:
        """(ln p(x | f(x)) in nats, summed over the batch, None): there is no KL, and nothing is sampled."""
        return self.likelihood.total(self.decoder(self.encoder(x)), x), None


@register_model
def autoencoder(
    sample_shape: tuple[int, ...],
    *,
    latent_dim: int = 2,
    hidden: tuple[int, ...] = (512,),
    activation: Activation = "relu",
    likelihood: LikelihoodName = "bernoulli",
    std: float = 1.0,
) -> Autoencoder:
    """A plain dense autoencoder of the reference VAE's size, without KL."""
    check_sizes(latent_dim=latent_dim, hidden=hidden)
    return Autoencoder(
        DenseEncoder(sample_shape, latent_dim, hidden, head=nn.Linear, activation=activation),
        DenseDecoder(sample_shape, latent_dim, hidden, activation),
        make_likelihood(likelihood, std),
        latent_dim,
    )


@register_model
def conv_autoencoder(
    sample_shape: tuple[int, ...],
    *,
    latent_dim: int = 2,
    channels: tuple[int, ...] = (32, 64),
    likelihood: LikelihoodName = "bernoulli",
    std: float = 1.0,
) -> Autoencoder:
    """A plain convolutional autoencoder for images (H, W) or (H, W, C): `conv` without KL."""
    check_sizes(latent_dim=latent_dim, channels=channels)
    return Autoencoder(
        ConvEncoder(sample_shape, latent_dim, channels, head=nn.Linear),
        ConvDecoder(sample_shape, latent_dim, channels),
        make_likelihood(likelihood, std),
        latent_dim,
    )
