"""The conditional variational autoencoder: p(x | y), with a class y known to encoder and decoder."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from vaeviz.errors import InputError
from vaeviz_models.models.builders import register_model
from vaeviz_models.models.vae import VAE, LikelihoodName, make_likelihood
from vaeviz_models.networks import Activation, DenseDecoder, DenseEncoder, check_sizes
from vaeviz_models.objectives import gaussian_kl, reparameterize


class ConditionalEncoder(nn.Module):
    """x (N, *sample), classes y (N,) -> mean, log-variance (N, D): a dense network of x beside y, one-hot."""

    gives_spread = True

    def __init__(
        self,
        sample_shape: Sequence[int],
        classes: Sequence[str],
        latent_dim: int = 2,
        hidden: Sequence[int] = (512,),
        activation: Activation = "relu",
    ):
        super().__init__()
        self.sample_shape, self.classes = tuple(sample_shape), tuple(classes)
        size = math.prod(sample_shape) + len(classes)
        self.network = DenseEncoder((size,), latent_dim, hidden, activation=activation)

    def forward(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        return self.network(append_one_hot(x.flatten(1), y, len(self.classes)))


class ConditionalDecoder(nn.Module):
    """z (N, D), classes y (N,) -> (N, *sample): a dense network of z beside y, one-hot."""

    def __init__(
        self,
        sample_shape: Sequence[int],
        classes: Sequence[str],
        latent_dim: int = 2,
        hidden: Sequence[int] = (512,),
        activation: Activation = "relu",
    ):
        super().__init__()
        self.sample_shape, self.classes, self.latent_dim = tuple(sample_shape), tuple(classes), latent_dim
        self.network = DenseDecoder(sample_shape, latent_dim + len(classes), hidden, activation)

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        return self.network(append_one_hot(z, y, len(self.classes)))


class ConditionalVAE(VAE):
    """p(x | z, y) p(z) with p(z) = N(0, I) whatever y is, and q(z | x, y) (Sohn et al. 2015; Kingma et al. 2014, M2).

    encoder: x (N, *sample), y (N,) -> mean, log-variance (N, D) each. decoder: z (N, D),
    y (N,) -> the likelihood's parameters. y are places among the `classes`, the names of which both networks know.
    """

    @property
    def classes(self) -> tuple[str, ...]:
        return self.decoder.classes

    def encode(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance of q(z | x, y), (N, D) each."""
        return self.encoder(x, y)

    def decode(self, z: Tensor, y: Tensor) -> Tensor:
        """E[x | z, y], (N, *sample)."""
        return self.likelihood.mean(self.decoder(z, y))

    def forward(self, x: Tensor, y: Tensor, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """(E[x | z, y], mean, log-variance) for one sample z of q(z | x, y)."""
        mean, log_var = self.encoder(x, y)
        return self.decode(reparameterize(mean, log_var, generator), y), mean, log_var

    def terms(self, x: Tensor, generator: torch.Generator | None, y: Tensor) -> tuple[Tensor, Tensor]:
        """(ln p(x | z, y), KL(q(z | x, y) || p(z))) in nats, summed over the batch, for one sample z of q(z | x, y).

        Their difference is a one-sample estimate of the ELBO, which bounds ln p(x | y).
        """
        mean, log_var = self.encoder(x, y)
        z = reparameterize(mean, log_var, generator)
        return self.likelihood.total(self.decoder(z, y), x), gaussian_kl(mean, log_var).sum()

    def log_likelihood(self, x: Tensor, z: Tensor, y: Tensor) -> Tensor:
        """ln p(x | z, y) of each, (N,), in nats."""
        return self.likelihood.log_prob(self.decoder(z, y), x)


@register_model
def cvae(
    sample_shape: tuple[int, ...],
    *,
    classes: tuple[str, ...] | None = None,
    latent_dim: int = 2,
    hidden: tuple[int, ...] = (512,),
    activation: Activation = "relu",
    likelihood: LikelihoodName = "bernoulli",
    std: float = 1.0,
) -> ConditionalVAE:
    """A conditional VAE: the reference VAE given the class of each sample, in encoder and decoder.

    classes: the names of the classes, those of the labels where `vaeviz train` builds it; see `classes_of`.
    """
    if not classes:
        raise InputError("classes: got none, and they are the condition; vaeviz_models.classes_of(labels) names them")
    check_sizes(latent_dim=latent_dim, hidden=hidden)
    return ConditionalVAE(
        ConditionalEncoder(sample_shape, classes, latent_dim, hidden, activation),
        ConditionalDecoder(sample_shape, classes, latent_dim, hidden, activation),
        make_likelihood(likelihood, std),
        latent_dim,
    )


def append_one_hot(features: Tensor, y: Tensor, classes: int) -> Tensor:
    """Features (N, F) with the classes y (N,) one-hot after them, (N, F + classes)."""
    one_hot = y[:, None] == torch.arange(classes, device=y.device)
    return torch.cat([features, one_hot.to(features.dtype)], dim=1)
