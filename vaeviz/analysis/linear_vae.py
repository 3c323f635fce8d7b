"""The linear VAE, of which everything is known exactly: a yardstick for the rest of the analysis."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from vaeviz.errors import InputError


@dataclass(frozen=True, eq=False)
class LinearVAE:
    """The optimum of the β-ELBO with p(x | z) = N(W z + μ, σ² I), p(z) = N(0, I) and a linear Gaussian q(z | x).

    It is probabilistic PCA (Tipping & Bishop 1999; Lucas et al. 2019, arXiv:1911.02469): with
    s = βσ², the latent dimension j is active where λ_j > s, and collapsed elsewhere. Nats, float64 throughout.

    mean: (P,) μ. eigenvalues: (P,) λ of the data covariance, descending. eigenvectors: (P, P) in columns.
    latent_dim: D. noise: σ². beta: β.

    It has `encode` and `decode`, so it stands wherever a model is asked for.
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
        """s = βσ², the variance that a direction of the data must exceed to be worth encoding."""
        return self.beta * self.noise

    @cached_property
    def active(self) -> np.ndarray:
        """Which latent dimensions are active, (D,)."""
        return self.eigenvalues[: self.latent_dim] > self.cutoff

    @cached_property
    def gain(self) -> np.ndarray:
        """λ_j / s where active, 1 where collapsed, (D,): the inverse of the posterior variance."""
        return np.where(self.active, self.eigenvalues[: self.latent_dim] / self.cutoff, 1.0)

    @cached_property
    def weights(self) -> np.ndarray:
        """W = U (Λ − s I)^½, (P, D), with columns of zeros for collapsed dimensions."""
        return self.eigenvectors[:, : self.latent_dim] * np.sqrt(self.cutoff * (self.gain - 1))

    @property
    def posterior_variance(self) -> np.ndarray:
        """Variance of q(z_j | x), (D,): s / λ_j, the same for every x."""
        return 1 / self.gain

    @property
    def kl(self) -> np.ndarray:
        """Mean KL(q(z_j | x) || p(z_j)) over the data, (D,): ½ ln(λ_j / s)."""
        return 0.5 * np.log(self.gain)

    @property
    def mean_variance(self) -> np.ndarray:
        """Variance of the posterior means over the data, (D,): 1 − s / λ_j."""
        return 1 - 1 / self.gain

    @property
    def rate(self) -> float:
        """R = E_x KL(q(z | x) || p(z))."""
        return float(self.kl.sum())

    @property
    def distortion(self) -> float:
        """−E ln p(x | z) = (P/2) ln 2πσ² + (|A| s + Σ_{j∉A} λ_j) / 2σ²."""
        kept = np.zeros(len(self.eigenvalues), dtype=bool)
        kept[: self.latent_dim] = self.active
        left = kept.sum() * self.cutoff + self.eigenvalues[~kept].sum()
        return float(0.5 * len(self.eigenvalues) * math.log(2 * math.pi * self.noise) + 0.5 * left / self.noise)

    @property
    def elbo(self) -> float:
        """−distortion − rate, the mean over the data. At β = 1 it is the mean log-likelihood."""
        return -self.distortion - self.rate

    @cached_property
    def marginal_variance(self) -> np.ndarray:
        """Eigenvalues of the model's covariance W Wᵀ + σ² I, (P,), in the directions of the eigenvectors."""
        variance = np.full(len(self.eigenvalues), self.noise)
        variance[: self.latent_dim] += self.cutoff * (self.gain - 1)
        return variance

    @property
    def mean_log_likelihood(self) -> float:
        """E_x ln p(x) = −½ [P ln 2π + Σ ln c_j + Σ λ_j / c_j] with c the eigenvalues of the model's covariance."""
        c = self.marginal_variance
        return float(-0.5 * (np.log(2 * math.pi * c) + self.eigenvalues / c).sum())

    def encode(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean W_jᵀ(x − μ) / λ_j and log-variance ln(s / λ_j) of q(z | x), (N, D) each, for x (N, P)."""
        mean = (np.asarray(x, np.float64) - self.mean) @ self.weights / (self.cutoff * self.gain)
        return mean, np.broadcast_to(-np.log(self.gain), mean.shape)

    def decode(self, z: np.ndarray) -> np.ndarray:
        """E[x | z] = W z + μ, (N, P), for z (N, D)."""
        return np.asarray(z, np.float64) @ self.weights.T + self.mean

    def log_likelihood(self, x: np.ndarray, z: np.ndarray) -> np.ndarray:
        """ln p(x | z) of each pair, (N,)."""
        square = ((np.asarray(x, np.float64) - self.decode(z)) ** 2).sum(axis=1)
        return -0.5 * (square / self.noise + len(self.mean) * math.log(2 * math.pi * self.noise))

    def log_evidence(self, x: np.ndarray) -> np.ndarray:
        """ln p(x), (N,), exactly: x ~ N(μ, W Wᵀ + σ² I)."""
        along = (np.asarray(x, np.float64) - self.mean) @ self.eigenvectors
        return -0.5 * (np.log(2 * math.pi * self.marginal_variance) + along**2 / self.marginal_variance).sum(axis=1)


def linear_vae(
    covariance: np.ndarray,
    latent_dim: int,
    *,
    mean: np.ndarray | None = None,
    noise: float | None = None,
    beta: float = 1.0,
) -> LinearVAE:
    """The best linear VAE for data of that covariance (P, P) and mean (P,), zero unless given.

    noise: σ² of the decoder; unless given the mean of the discarded eigenvalues, which is the maximum-likelihood
        value at β = 1 (Tipping & Bishop 1999, eq. 8). beta: weight of the KL.
    """
    covariance = np.asarray(covariance, np.float64)
    size = len(covariance)
    if covariance.shape != (size, size) or not np.allclose(covariance, covariance.T):
        raise InputError(f"covariance: got shape {covariance.shape}, expected a symmetric matrix (P, P)")
    if not 1 <= latent_dim <= size:
        raise InputError(f"latent_dim = {latent_dim}: expected 1 to {size}, the number of values of a sample")
    eigenvalues, eigenvectors = (part[..., ::-1] for part in np.linalg.eigh(covariance))
    if noise is None:
        noise = float(eigenvalues[latent_dim:].mean()) if latent_dim < size else 0.0
    if not (noise > 0 and beta > 0):
        raise InputError(
            f"noise = {noise:g}, beta = {beta:g}: expected more than 0; with no direction left, give noise"
        )
    center = np.zeros(size) if mean is None else np.asarray(mean, np.float64)
    return LinearVAE(center, eigenvalues, eigenvectors, latent_dim, noise, beta)


def fitted_linear_vae(x: np.ndarray, latent_dim: int, *, noise: float | None = None, beta: float = 1.0) -> LinearVAE:
    """The best linear VAE for samples x (N, P), from their mean and their covariance (divided by N)."""
    x = np.asarray(x, np.float64)
    if x.ndim != 2 or len(x) < 2:
        raise InputError(f"x: got shape {x.shape}, expected (N, P) with two samples or more")
    return linear_vae(np.atleast_2d(np.cov(x.T, bias=True)), latent_dim, mean=x.mean(axis=0), noise=noise, beta=beta)
