"""The mathematics of the objective: KL, reparameterization, and what changes from epoch to epoch. Nats throughout."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

Schedule = Literal["constant", "burda"]


def gaussian_kl(mean: Tensor, log_var: Tensor) -> Tensor:
    """KL(N(μ, σ²) || N(0, I)) of each sample: (N, D), (N, D) -> (N,) in nats.

    ½ Σ_j (μ_j² + σ_j² − 1 − ln σ_j²), Kingma & Welling 2013, appendix B.
    """
    return 0.5 * (mean.square() + log_var.exp() - 1 - log_var).sum(dim=1)


def reparameterize(mean: Tensor, log_var: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """z = μ + σ ε with ε ~ N(0, I): a sample of q(z | x) that gradients pass through, (N, D).

    Kingma & Welling 2013, section 2.4. `generator` lives on the device of `mean`.
    """
    noise = torch.randn(mean.shape, generator=generator, device=mean.device, dtype=mean.dtype)
    return torch.addcmul(mean, (0.5 * log_var).exp(), noise)


def beta_at(epoch: int, beta: float, warmup: int) -> float:
    """The weight of the KL in an epoch, counted from 1: rises linearly to `beta` over `warmup` epochs.

    β-VAE: Higgins et al. 2017; warm-up: Bowman et al. 2016.
    """
    return beta if warmup == 0 else beta * min(1.0, epoch / warmup)


def rate_at(epoch: int, learning_rate: float, schedule: Schedule) -> float:
    """The learning rate in an epoch, counted from 1.

    "burda": stages i = 0 to 7 of 3^i epochs each, 3,280 in all, at learning_rate · 10^(−i/7) (Burda et al. 2016,
    section 5); afterwards it stays at a tenth.
    """
    if schedule == "constant":
        return learning_rate
    stage = next((i for i in range(7) if epoch <= (3 ** (i + 1) - 1) // 2), 7)
    return learning_rate * 10 ** (-stage / 7)
