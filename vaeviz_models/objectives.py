"""The objective: KL divergence, reparameterized samples, and the schedules of β and the learning rate."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

Schedule = Literal["constant", "burda"]
BURDA_STAGES = 8  # stage i lasts 3^i epochs, i = 0 to 7


def gaussian_kl(mean: Tensor, log_var: Tensor) -> Tensor:
    """Compute KL(N(μ, σ²) || N(0, I)) of each sample in closed form.

    Parameters
    ----------
    mean, log_var : Tensor, shape (N, D)
        Mean μ and log-variance ln σ² of each posterior.

    Returns
    -------
    Tensor, shape (N,)
        The KL divergence of each posterior from the prior, in nats.

    Notes
    -----
    ½ Σ_j (μ_j² + σ_j² − 1 − ln σ_j²), Kingma & Welling 2013 (arXiv:1312.6114), appendix B.

    Examples
    --------
    >>> gaussian_kl(torch.tensor([[1.0, 0.0]]), torch.zeros(1, 2))
    tensor([0.5000])
    """
    return 0.5 * (mean.square() + log_var.exp() - 1 - log_var).sum(dim=1)


def reparameterize(mean: Tensor, log_var: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Draw z = μ + σ ε with ε ~ N(0, I), so that gradients reach μ and σ.

    Parameters
    ----------
    mean, log_var : Tensor, shape (N, D)
        Mean and log-variance of q(z | x).
    generator : torch.Generator, optional
        Source of ε, on the device of `mean`. By default torch's global generator.

    Returns
    -------
    Tensor, shape (N, D)
        One sample of each posterior.

    References
    ----------
    Kingma & Welling 2013 (arXiv:1312.6114), section 2.4.
    """
    noise = torch.randn(mean.shape, generator=generator, device=mean.device, dtype=mean.dtype)
    return torch.addcmul(mean, (0.5 * log_var).exp(), noise)


def beta_at(epoch: int, beta: float, warmup: int) -> float:
    """Return the weight of the KL in an epoch.

    Parameters
    ----------
    epoch : int
        Number of the epoch, counted from 1.
    beta : float
        Weight after the warm-up.
    warmup : int
        Number of epochs over which the weight rises linearly to `beta`; 0 for none.

    Returns
    -------
    float
        The weight of the KL.

    References
    ----------
    β-VAE: Higgins et al. 2017. Warm-up: Bowman et al. 2016 (arXiv:1511.06349).

    Examples
    --------
    >>> [beta_at(epoch, 2.0, warmup=4) for epoch in (1, 2, 3, 4, 5)]
    [0.5, 1.0, 1.5, 2.0, 2.0]
    """
    return beta if warmup == 0 else beta * min(1.0, epoch / warmup)


def learning_rate_at(epoch: int, learning_rate: float, schedule: Schedule) -> float:
    """Return the learning rate in an epoch.

    Parameters
    ----------
    epoch : int
        Number of the epoch, counted from 1.
    learning_rate : float
        Learning rate of the first epoch.
    schedule : {"constant", "burda"}
        ``"burda"`` lowers the rate to a tenth in eight stages of 1, 3, 9, ... epochs, 3,280 in all.

    Returns
    -------
    float
        The learning rate.

    Notes
    -----
    Stage i of ``"burda"``, i = 0 to 7, lasts 3^i epochs at learning_rate · 10^(−i/7). Later epochs keep the last rate.

    References
    ----------
    Burda, Grosse & Salakhutdinov 2016 (arXiv:1509.00519), section 5.

    Examples
    --------
    >>> [f"{learning_rate_at(epoch, 0.001, 'burda'):.6f}" for epoch in (1, 2, 5, 5000)]
    ['0.001000', '0.000720', '0.000518', '0.000100']
    """
    if schedule == "constant":
        return learning_rate
    last = BURDA_STAGES - 1
    stage = next((i for i in range(last) if epoch <= (3 ** (i + 1) - 1) // 2), last)
    return learning_rate * 10 ** (-stage / last)
