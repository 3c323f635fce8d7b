"""The conditional VAE, p(x | y) with a class y known to encoder and decoder, and its builder `cvae`."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from vaeviz.errors import InputError
from vaeviz_models.likelihoods import LikelihoodName, make_likelihood
from vaeviz_models.models.base import EncoderDecoder
from vaeviz_models.models.builders import register_model
from vaeviz_models.networks import Activation, DenseDecoder, DenseEncoder, check_sizes
from vaeviz_models.objectives import gaussian_kl, reparameterize


class ConditionalEncoder(nn.Module):
    """Fully connected encoder of a sample and its class, which is appended one-hot.

    Parameters
    ----------
    sample_shape : sequence of int
        Shape of one sample.
    classes : sequence of str
        Names of the classes, in the order of their indices.
    latent_dim : int, default 2
        Number of latent dimensions, D.
    hidden : sequence of int, default (512,)
        Width of each hidden layer.
    activation : {"relu", "tanh"}, default "relu"
        Activation after each hidden layer.
    """

    returns_log_var = True

    def __init__(
        self,
        sample_shape: Sequence[int],
        classes: Sequence[str],
        latent_dim: int = 2,
        hidden: Sequence[int] = (512,),
        activation: Activation = "relu",
    ) -> None:
        super().__init__()
        self.sample_shape, self.classes = tuple(sample_shape), tuple(classes)
        size = math.prod(sample_shape) + len(classes)
        self.network = DenseEncoder((size,), latent_dim, hidden, activation=activation)

    def forward(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Encode samples of known class.

        Parameters
        ----------
        x : Tensor, shape (N, ...)
            Samples.
        y : Tensor of int, shape (N,)
            Index of each sample's class.

        Returns
        -------
        mean, log_var : Tensor, shape (N, D)
            Parameters of q(z | x, y).
        """
        posterior: tuple[Tensor, Tensor] = self.network(append_one_hot(x.flatten(1), y, len(self.classes)))
        return posterior


class ConditionalDecoder(nn.Module):
    """Fully connected decoder of a code and a class, which is appended one-hot.

    Parameters
    ----------
    sample_shape : sequence of int
        Shape of one sample.
    classes : sequence of str
        Names of the classes, in the order of their indices.
    latent_dim : int, default 2
        Number of latent dimensions, D.
    hidden : sequence of int, default (512,)
        Width of each hidden layer, in the order of the encoder.
    activation : {"relu", "tanh"}, default "relu"
        Activation after each hidden layer.
    """

    def __init__(
        self,
        sample_shape: Sequence[int],
        classes: Sequence[str],
        latent_dim: int = 2,
        hidden: Sequence[int] = (512,),
        activation: Activation = "relu",
    ) -> None:
        super().__init__()
        self.sample_shape, self.classes, self.latent_dim = tuple(sample_shape), tuple(classes), latent_dim
        self.network = DenseDecoder(sample_shape, latent_dim + len(classes), hidden, activation)

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        """Decode codes of known class.

        Parameters
        ----------
        z : Tensor, shape (N, D)
            Codes.
        y : Tensor of int, shape (N,)
            Index of each code's class.

        Returns
        -------
        Tensor, shape (N, ...)
            Parameters of the likelihood, in the shape of the samples.
        """
        values: Tensor = self.network(append_one_hot(z, y, len(self.classes)))
        return values


class ConditionalVAE(EncoderDecoder):
    """Conditional VAE: p(x | z, y) p(z) with p(z) = N(0, I) for every class y, and q(z | x, y).

    Parameters
    ----------
    encoder : torch.nn.Module
        From samples (N, ...) and classes (N,) to mean and log-variance, (N, D) each.
    decoder : ConditionalDecoder
        From codes (N, D) and classes (N,) to the parameters of the likelihood.
    likelihood : Likelihood
        Distribution p(x | z, y).
    latent_dim : int
        Number of latent dimensions, D.

    References
    ----------
    Sohn, Lee & Yan 2015; Kingma et al. 2014 (arXiv:1406.5298), model M2.
    """

    decoder: ConditionalDecoder

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in the order of their indices."""
        return self.decoder.classes

    def encode(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Compute mean and log-variance of q(z | x, y).

        Parameters
        ----------
        x : Tensor, shape (N, ...)
            Samples.
        y : Tensor of int, shape (N,)
            Index of each sample's class.

        Returns
        -------
        mean, log_var : Tensor, shape (N, D)
            Parameters of the posteriors.
        """
        posterior: tuple[Tensor, Tensor] = self.encoder(x, y)
        return posterior

    def decode(self, z: Tensor, y: Tensor) -> Tensor:
        """Compute E[x | z, y].

        Parameters
        ----------
        z : Tensor, shape (N, D)
            Codes.
        y : Tensor of int, shape (N,)
            Index of each code's class.

        Returns
        -------
        Tensor, shape (N, ...)
            Mean of p(x | z, y).
        """
        return self.likelihood.mean(self.decoder(z, y))

    def forward(self, x: Tensor, y: Tensor, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """Reconstruct samples from one code each, drawn from q(z | x, y).

        Parameters
        ----------
        x : Tensor, shape (N, ...)
            Samples.
        y : Tensor of int, shape (N,)
            Index of each sample's class.
        generator : torch.Generator, optional
            Source of the noise, on the device of `x`. By default torch's global generator.

        Returns
        -------
        reconstruction : Tensor, shape (N, ...)
            E[x | z, y].
        mean, log_var : Tensor, shape (N, D)
            Parameters of q(z | x, y).
        """
        mean, log_var = self.encode(x, y)
        return self.decode(reparameterize(mean, log_var, generator), y), mean, log_var

    def terms(self, x: Tensor, generator: torch.Generator | None, y: Tensor) -> tuple[Tensor, Tensor]:
        """Compute the two terms of the ELBO with one sample z of q(z | x, y).

        Parameters
        ----------
        x : Tensor, shape (N, ...)
            Samples.
        generator : torch.Generator or None
            Source of the noise, on the device of `x`. None uses torch's global generator.
        y : Tensor of int, shape (N,)
            Index of each sample's class.

        Returns
        -------
        log_likelihood : Tensor, shape ()
            ln p(x | z, y), summed over the batch, in nats.
        kl : Tensor, shape ()
            KL(q(z | x, y) || p(z)), summed over the batch, in nats.

        Notes
        -----
        ``log_likelihood - kl`` is a one-sample estimate of the ELBO, a lower bound of ln p(x | y).
        """
        mean, log_var = self.encode(x, y)
        z = reparameterize(mean, log_var, generator)
        return self.likelihood.total(self.decoder(z, y), x), gaussian_kl(mean, log_var).sum()

    def log_likelihood(self, x: Tensor, z: Tensor, y: Tensor) -> Tensor:
        """Compute ln p(x | z, y).

        Parameters
        ----------
        x : Tensor, shape (N, ...)
            Samples.
        z : Tensor, shape (N, D)
            Codes.
        y : Tensor of int, shape (N,)
            Index of each sample's class.

        Returns
        -------
        Tensor, shape (N,)
            Log-likelihoods in nats.
        """
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
    """Build the reference VAE with the class of each sample as a condition.

    Parameters
    ----------
    sample_shape : tuple of int
        Shape of one sample.
    classes : tuple of str
        Names of the classes, see `classes_of`. ``vaeviz train`` takes them from the labels of the data.
    latent_dim : int, default 2
        Number of latent dimensions.
    hidden : tuple of int, default (512,)
        Width of each hidden layer of the encoder; the decoder has them in reverse.
    activation : {"relu", "tanh"}, default "relu"
        Activation after each hidden layer.
    likelihood : {"bernoulli", "gaussian", "gaussian-learned"}, default "bernoulli"
        Distribution p(x | z, y).
    std : float, default 1.0
        Standard deviation of a Gaussian likelihood, or its first value if it is learned.

    Returns
    -------
    ConditionalVAE
        The model, with fresh weights.

    Raises
    ------
    InputError
        If no classes are named.
    """
    if not classes:
        raise InputError(
            "classes is empty, but a conditional VAE needs the names of its classes.",
            expected="names of classes",
            fix="Pass classes=vaeviz_models.classes_of(labels).",
        )
    check_sizes(latent_dim=latent_dim, hidden=hidden)
    return ConditionalVAE(
        ConditionalEncoder(sample_shape, classes, latent_dim, hidden, activation),
        ConditionalDecoder(sample_shape, classes, latent_dim, hidden, activation),
        make_likelihood(likelihood, std),
        latent_dim,
    )


def append_one_hot(features: Tensor, y: Tensor, n_classes: int) -> Tensor:
    """Append the one-hot class to features.

    Parameters
    ----------
    features : Tensor, shape (N, F)
        Features of samples or codes.
    y : Tensor of int, shape (N,)
        Index of each row's class.
    n_classes : int
        Number of classes.

    Returns
    -------
    Tensor, shape (N, F + n_classes)
        Features followed by zeros and a one.

    Examples
    --------
    >>> append_one_hot(torch.tensor([[0.5]]), torch.tensor([2]), 3)
    tensor([[0.5000, 0.0000, 0.0000, 1.0000]])
    """
    one_hot = y[:, None] == torch.arange(n_classes, device=y.device)
    return torch.cat([features, one_hot.to(features.dtype)], dim=1)
