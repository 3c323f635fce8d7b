"""The plain autoencoder without posterior, prior and KL, and its builders."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vaeviz_models.likelihoods import LikelihoodName, make_likelihood
from vaeviz_models.models.base import EncoderDecoder
from vaeviz_models.models.builders import register_model
from vaeviz_models.networks import Activation, ConvDecoder, ConvEncoder, DenseDecoder, DenseEncoder, check_sizes


class Autoencoder(EncoderDecoder):
    """Deterministic autoencoder: the code is z = f(x), and the loss is −ln p(x | f(x)).

    Parameters
    ----------
    encoder : torch.nn.Module
        From samples (N, ...) to codes (N, D).
    decoder : torch.nn.Module
        From codes (N, D) to the parameters of the likelihood.
    likelihood : Likelihood
        Distribution p(x | z).
    latent_dim : int
        Number of latent dimensions, D.
    """

    prior = None

    def encode(self, x: Tensor) -> Tensor:
        """Compute codes.

        Parameters
        ----------
        x : Tensor, shape (N, ...)
            Samples.

        Returns
        -------
        Tensor, shape (N, D)
            The codes.
        """
        codes: Tensor = self.encoder(x)
        return codes

    def decode(self, z: Tensor) -> Tensor:
        """Compute E[x | z].

        Parameters
        ----------
        z : Tensor, shape (N, D)
            Codes.

        Returns
        -------
        Tensor, shape (N, ...)
            Mean of p(x | z).
        """
        return self.likelihood.mean(self.decoder(z))

    def forward(self, x: Tensor) -> Tensor:
        """Reconstruct samples.

        Parameters
        ----------
        x : Tensor, shape (N, ...)
            Samples.

        Returns
        -------
        Tensor, shape (N, ...)
            The reconstructions.
        """
        return self.decode(self.encode(x))

    def terms(self, x: Tensor, generator: torch.Generator | None = None) -> tuple[Tensor, None]:
        """Compute the log-likelihood of the reconstructions.

        Parameters
        ----------
        x : Tensor, shape (N, ...)
            Samples.
        generator : torch.Generator, optional
            Ignored, since nothing is sampled.

        Returns
        -------
        log_likelihood : Tensor, shape ()
            ln p(x | f(x)), summed over the batch, in nats.
        kl : None
            There is no KL.
        """
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
    """Build a fully connected autoencoder of the size of the reference VAE.

    Parameters
    ----------
    sample_shape : tuple of int
        Shape of one sample.
    latent_dim : int, default 2
        Number of latent dimensions.
    hidden : tuple of int, default (512,)
        Width of each hidden layer of the encoder; the decoder has them in reverse.
    activation : {"relu", "tanh"}, default "relu"
        Activation after each hidden layer.
    likelihood : {"bernoulli", "gaussian", "gaussian-learned"}, default "bernoulli"
        Distribution p(x | z).
    std : float, default 1.0
        Standard deviation of a Gaussian likelihood, or its first value if it is learned.

    Returns
    -------
    Autoencoder
        The model, with fresh weights.
    """
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
    """Build a convolutional autoencoder for images (H, W) or (H, W, C).

    Parameters
    ----------
    sample_shape : tuple of int
        Shape of one image.
    latent_dim : int, default 2
        Number of latent dimensions.
    channels : tuple of int, default (32, 64)
        Number of channels of each layer; each layer halves the image.
    likelihood : {"bernoulli", "gaussian", "gaussian-learned"}, default "bernoulli"
        Distribution p(x | z).
    std : float, default 1.0
        Standard deviation of a Gaussian likelihood, or its first value if it is learned.

    Returns
    -------
    Autoencoder
        The model, with fresh weights.
    """
    check_sizes(latent_dim=latent_dim, channels=channels)
    return Autoencoder(
        ConvEncoder(sample_shape, latent_dim, channels, head=nn.Linear),
        ConvDecoder(sample_shape, latent_dim, channels),
        make_likelihood(likelihood, std),
        latent_dim,
    )
