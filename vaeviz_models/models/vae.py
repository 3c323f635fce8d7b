"""The variational autoencoder, and its builders `mlp` and `conv`."""

from __future__ import annotations

import torch
from torch import Tensor

from vaeviz_models.likelihoods import LikelihoodName, make_likelihood
from vaeviz_models.models.base import EncoderDecoder
from vaeviz_models.models.builders import register_model
from vaeviz_models.networks import Activation, ConvDecoder, ConvEncoder, DenseDecoder, DenseEncoder, check_sizes
from vaeviz_models.objectives import gaussian_kl, reparameterize


class VAE(EncoderDecoder):
    """Variational autoencoder: p(x | z) p(z) with p(z) = N(0, I), and q(z | x) to approximate the posterior.

    Parameters
    ----------
    encoder : torch.nn.Module
        From samples (N, ...) to mean and log-variance of q(z | x), (N, D) each.
    decoder : torch.nn.Module
        From codes (N, D) to the parameters of the likelihood.
    likelihood : Likelihood
        Distribution p(x | z).
    latent_dim : int
        Number of latent dimensions, D.

    Notes
    -----
    Encoder and decoder are modules of their own that share their weights with the VAE.

    References
    ----------
    Kingma & Welling 2013, Auto-Encoding Variational Bayes (arXiv:1312.6114).
    """

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Compute mean and log-variance of q(z | x).

        Parameters
        ----------
        x : Tensor, shape (N, ...)
            Samples.

        Returns
        -------
        mean, log_var : Tensor, shape (N, D)
            Parameters of the posteriors.
        """
        posterior: tuple[Tensor, Tensor] = self.encoder(x)
        return posterior

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

    def forward(self, x: Tensor, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """Reconstruct samples from one code each, drawn from q(z | x).

        Parameters
        ----------
        x : Tensor, shape (N, ...)
            Samples.
        generator : torch.Generator, optional
            Source of the noise, on the device of `x`. By default torch's global generator.

        Returns
        -------
        reconstruction : Tensor, shape (N, ...)
            E[x | z].
        mean, log_var : Tensor, shape (N, D)
            Parameters of q(z | x).
        """
        mean, log_var = self.encode(x)
        return self.decode(reparameterize(mean, log_var, generator)), mean, log_var

    def terms(self, x: Tensor, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """Compute the two terms of the ELBO with one sample z of q(z | x).

        Parameters
        ----------
        x : Tensor, shape (N, ...)
            Samples.
        generator : torch.Generator, optional
            Source of the noise, on the device of `x`. By default torch's global generator.

        Returns
        -------
        log_likelihood : Tensor, shape ()
            ln p(x | z), summed over the batch, in nats.
        kl : Tensor, shape ()
            KL(q(z | x) || p(z)), summed over the batch, in nats.

        Notes
        -----
        ``log_likelihood - kl`` is a one-sample estimate of the ELBO (Kingma & Welling 2013, eq. 7 and 10).
        """
        mean, log_var = self.encode(x)
        z = reparameterize(mean, log_var, generator)
        return self.likelihood.total(self.decoder(z), x), gaussian_kl(mean, log_var).sum()

    def log_likelihood(self, x: Tensor, z: Tensor) -> Tensor:
        """Compute ln p(x | z) of pairs of samples and codes.

        Parameters
        ----------
        x : Tensor, shape (N, ...)
            Samples.
        z : Tensor, shape (N, D)
            Codes.

        Returns
        -------
        Tensor, shape (N,)
            Log-likelihoods in nats.
        """
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
    """Build the reference VAE: a fully connected encoder and decoder.

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
    VAE
        The model, with fresh weights.

    Examples
    --------
    >>> mlp((28, 28), latent_dim=3).decode(torch.zeros(1, 3)).shape
    torch.Size([1, 28, 28])
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
    """Build a convolutional VAE for images (H, W) or (H, W, C).

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
    VAE
        The model, with fresh weights.
    """
    check_sizes(latent_dim=latent_dim, channels=channels)
    return VAE(
        ConvEncoder(sample_shape, latent_dim, channels),
        ConvDecoder(sample_shape, latent_dim, channels),
        make_likelihood(likelihood, std),
        latent_dim,
    )
