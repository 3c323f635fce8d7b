"""The linear VAE, whose optimum is known in closed form: a reference for the rest of the analysis."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from vaeviz.data.arrays import as_array, as_matrix
from vaeviz.errors import InputError
from vaeviz.plugins.options import check_arguments
from vaeviz.plugins.short_repr import ShortRepr


@dataclass(frozen=True, eq=False, repr=False)
class LinearVAE(ShortRepr):
    """The optimum of the β-ELBO for a linear Gaussian encoder and decoder.

    It has `encode` and `decode`, so it is accepted wherever a model is.

    Attributes
    ----------
    mean : ndarray, shape (P,)
        Mean μ of the data.
    eigenvalues : ndarray, shape (P,)
        Eigenvalues λ of the data covariance, descending.
    eigenvectors : ndarray, shape (P, P)
        Its eigenvectors U, in columns.
    latent_dim : int
        Number of latent dimensions, D.
    noise : float
        Variance σ² of the decoder.
    beta : float, default: 1.0
        Weight β of the KL.

    Notes
    -----
    p(x | z) = N(W z + μ, σ² I), p(z) = N(0, I), and q(z | x) is linear and Gaussian. The optimum is probabilistic
    PCA: with s = βσ², latent dimension j is active where λ_j > s and collapsed elsewhere. All quantities are in nats
    and float64.

    References
    ----------
    Tipping & Bishop 1999, "Probabilistic principal component analysis", JRSS B 61.
    Lucas et al. 2019, "Don't blame the ELBO!", arXiv:1911.02469.
    """

    mean: np.ndarray
    eigenvalues: np.ndarray
    eigenvectors: np.ndarray
    latent_dim: int
    noise: float
    beta: float = 1.0

    prior = "normal"

    @property
    def cutoff(self) -> float:
        """Variance s = βσ² above which a direction of the data is encoded."""
        return self.beta * self.noise

    @cached_property
    def active(self) -> np.ndarray:
        """Whether each latent dimension is active, shape (D,)."""
        return np.asarray(self.eigenvalues[: self.latent_dim] > self.cutoff)

    @cached_property
    def gain(self) -> np.ndarray:
        """Inverse of the posterior variance, shape (D,): λ_j / s where active, 1 where collapsed."""
        return np.where(self.active, self.eigenvalues[: self.latent_dim] / self.cutoff, 1.0)

    @cached_property
    def weights(self) -> np.ndarray:
        """Decoder weights W = U (Λ − s I)^½, shape (P, D), with columns of zeros for collapsed dimensions."""
        return np.asarray(self.eigenvectors[:, : self.latent_dim] * np.sqrt(self.cutoff * (self.gain - 1)))

    @property
    def posterior_variance(self) -> np.ndarray:
        """Variance of q(z_j | x), shape (D,): s / λ_j, the same for every x."""
        return 1 / self.gain

    @property
    def kl(self) -> np.ndarray:
        """Mean KL(q(z_j | x) || p(z_j)) over the data in nats, shape (D,): ½ ln(λ_j / s)."""
        return np.asarray(0.5 * np.log(self.gain))

    @property
    def mean_variance(self) -> np.ndarray:
        """Variance of the posterior means over the data, shape (D,): 1 − s / λ_j."""
        return 1 - 1 / self.gain

    @property
    def rate(self) -> float:
        """Rate E_x KL(q(z | x) || p(z)) in nats."""
        return float(self.kl.sum())

    @property
    def distortion(self) -> float:
        """Distortion −E ln p(x | z) in nats: ``½ P ln 2πσ² + (|A| s + Σ_{j∉A} λ_j) / 2σ²``, A the active set."""
        kept = np.zeros(len(self.eigenvalues), dtype=bool)
        kept[: self.latent_dim] = self.active
        left = kept.sum() * self.cutoff + self.eigenvalues[~kept].sum()
        return float(0.5 * len(self.eigenvalues) * math.log(2 * math.pi * self.noise) + 0.5 * left / self.noise)

    @property
    def elbo(self) -> float:
        """Mean ELBO over the data, −distortion − rate. At β = 1 it is the mean log-likelihood."""
        return -self.distortion - self.rate

    @cached_property
    def marginal_variance(self) -> np.ndarray:
        """Eigenvalues of the model's covariance W Wᵀ + σ² I, shape (P,), in the directions of the eigenvectors."""
        variance = np.full(len(self.eigenvalues), self.noise)
        variance[: self.latent_dim] += self.cutoff * (self.gain - 1)
        return variance

    @property
    def mean_log_likelihood(self) -> float:
        """Mean ln p(x) = −½ [P ln 2π + Σ ln c_j + Σ λ_j / c_j], with c the eigenvalues of the model's covariance."""
        c = self.marginal_variance
        return float(-0.5 * (np.log(2 * math.pi * c) + self.eigenvalues / c).sum())

    def encode(self, x: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and log-variance of q(z | x).

        Parameters
        ----------
        x : array_like, shape (N, P)
            Samples.

        Returns
        -------
        mean : ndarray, shape (N, D)
            W_jᵀ(x − μ) / λ_j.
        log_var : ndarray, shape (N, D)
            ln(s / λ_j).
        """
        mean = (np.asarray(x, np.float64) - self.mean) @ self.weights / (self.cutoff * self.gain)
        log_var = np.broadcast_to(-np.log(self.gain), mean.shape)
        return mean, log_var

    def decode(self, z: ArrayLike) -> np.ndarray:
        """Return the mean of p(x | z).

        Parameters
        ----------
        z : array_like, shape (N, D)
            Codes.

        Returns
        -------
        ndarray, shape (N, P)
            W z + μ.
        """
        return np.asarray(np.asarray(z, np.float64) @ self.weights.T + self.mean)

    def log_likelihood(self, x: ArrayLike, z: ArrayLike) -> np.ndarray:
        """Return ln p(x | z) of pairs.

        Parameters
        ----------
        x : array_like, shape (N, P)
            Samples.
        z : array_like, shape (N, D)
            Codes.

        Returns
        -------
        ndarray, shape (N,)
            Log-likelihoods in nats.
        """
        squares = ((np.asarray(x, np.float64) - self.decode(z)) ** 2).sum(axis=1)
        return np.asarray(-0.5 * (squares / self.noise + len(self.mean) * math.log(2 * math.pi * self.noise)))

    def log_evidence(self, x: ArrayLike) -> np.ndarray:
        """Return ln p(x) exactly: x ~ N(μ, W Wᵀ + σ² I).

        Parameters
        ----------
        x : array_like, shape (N, P)
            Samples.

        Returns
        -------
        ndarray, shape (N,)
            Log-evidence in nats.
        """
        rotated = (np.asarray(x, np.float64) - self.mean) @ self.eigenvectors
        terms = np.log(2 * math.pi * self.marginal_variance) + rotated**2 / self.marginal_variance
        return np.asarray(-0.5 * terms.sum(axis=1))


def linear_vae(
    covariance: ArrayLike,
    latent_dim: int,
    *,
    mean: ArrayLike | None = None,
    noise: float | None = None,
    beta: float = 1.0,
) -> LinearVAE:
    """Return the optimal linear VAE for data with a given covariance.

    Parameters
    ----------
    covariance : array_like, shape (P, P)
        Covariance of the data, symmetric.
    latent_dim : int
        Number of latent dimensions, from 1 to P.
    mean : array_like, shape (P,), optional
        Mean of the data; by default 0.
    noise : float, optional
        Variance σ² of the decoder; by default the mean of the discarded eigenvalues, the maximum-likelihood value at
        β = 1 (Tipping & Bishop 1999, eq. 8).
    beta : float, default: 1.0
        Weight of the KL.

    Returns
    -------
    LinearVAE
        The optimum, with closed forms of its KL, rate, distortion and ELBO.

    Raises
    ------
    InputError
        If the covariance is not symmetric, `latent_dim` is out of range, or `noise` or `beta` is not positive.

    Examples
    --------
    >>> model = linear_vae(np.diag([4.0, 2.0, 0.5]), 2)
    >>> model.kl.round(4).tolist()
    [1.0397, 0.6931]
    """
    check_arguments(linear_vae, locals())
    covariance = as_matrix(covariance, "covariance").astype(np.float64)
    size = len(covariance)
    if covariance.shape != (size, size) or not np.allclose(covariance, covariance.T):
        raise InputError(
            f"covariance has shape {covariance.shape}, but must be a symmetric matrix (P, P).",
            got=f"shape {covariance.shape}",
            expected="a symmetric matrix (P, P)",
        )
    if not 1 <= latent_dim <= size:
        raise InputError(
            f"latent_dim = {latent_dim}, but data with {size} values per sample allow 1 to {size}.",
            got=f"latent_dim = {latent_dim}",
            expected=f"from 1 to {size}",
        )
    eigenvalues, eigenvectors = (part[..., ::-1] for part in np.linalg.eigh(covariance))
    if noise is None:
        noise = float(eigenvalues[latent_dim:].mean()) if latent_dim < size else 0.0
    if not (noise > 0 and beta > 0):
        raise InputError(
            f"noise = {noise:g} and beta = {beta:g}, but both must be positive. By default noise is the mean of the "
            "discarded eigenvalues.",
            got=f"noise = {noise:g}, beta = {beta:g}",
            expected="positive numbers",
            fix="Pass a positive noise.",
        )
    center = np.zeros(size) if mean is None else as_array(mean, "mean").astype(np.float64)
    if center.shape != (size,):
        raise InputError(
            f"mean has shape {center.shape}, but the data have {size} values per sample.",
            got=f"shape {center.shape}",
            expected=f"shape {(size,)}",
        )
    return LinearVAE(center, eigenvalues, eigenvectors, latent_dim, noise, beta)


def fitted_linear_vae(x: ArrayLike, latent_dim: int, *, noise: float | None = None, beta: float = 1.0) -> LinearVAE:
    """Return the optimal linear VAE for samples.

    Parameters
    ----------
    x : array_like, shape (N, P)
        Samples; their mean and their covariance (divided by N) are used.
    latent_dim : int
        Number of latent dimensions, from 1 to P.
    noise : float, optional
        Variance σ² of the decoder, see `linear_vae`.
    beta : float, default: 1.0
        Weight of the KL.

    Returns
    -------
    LinearVAE
        The optimum, with closed forms of its KL, rate, distortion and ELBO.

    Raises
    ------
    InputError
        If `x` is not a matrix with two rows or more, and as for `linear_vae`.
    """
    samples = as_matrix(x, "x").astype(np.float64)
    if len(samples) < 2:
        raise InputError(
            f"x has shape {samples.shape}, but a covariance needs at least two rows.",
            got=f"shape {samples.shape}",
            expected="(N, P) with N of 2 or more",
        )
    covariance = np.atleast_2d(np.cov(samples.T, bias=True))
    return linear_vae(covariance, latent_dim, mean=samples.mean(axis=0), noise=noise, beta=beta)
