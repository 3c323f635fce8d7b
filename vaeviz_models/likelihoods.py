"""p(x | z): what the decoder's output means. Log-likelihoods are summed over the sample, in nats."""

from __future__ import annotations

import math
import warnings
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vaeviz.data.out_of_core import data_range
from vaeviz.errors import GuessWarning, InputError

FAR = 50.0
"""The largest size of a value that still passes for unit scale: a standardized feature with far outliers."""


class Bernoulli(nn.Module):
    """Pixels in [0, 1] as Bernoulli probabilities; the decoder gives logits."""

    def check(self, x: Any) -> None:
        """`InputError` unless all values of x lie in [0, 1]."""
        low, high = data_range(x)
        if low < 0 or high > 1:
            raise InputError(
                f"the data lie in [{low:.3g}, {high:.3g}], and a Bernoulli likelihood takes values in [0, 1]: "
                'scale them, or choose likelihood "gaussian"'
            )

    def log_prob(self, logits: Tensor, x: Tensor) -> Tensor:
        """Σ x ln p + (1 − x) ln(1 − p), p = sigmoid(logits): (N, *sample) -> (N,)."""
        loss = F.binary_cross_entropy_with_logits(logits, x, reduction="none")
        return -loss.flatten(1).sum(dim=1)

    def total(self, logits: Tensor, x: Tensor) -> Tensor:
        """The log-likelihood of the whole batch, a scalar."""
        return -F.binary_cross_entropy_with_logits(logits, x, reduction="sum")

    def mean(self, logits: Tensor) -> Tensor:
        """E[x | z], the probabilities."""
        return torch.sigmoid(logits)


class Gaussian(nn.Module):
    """N(x; decoder output, σ² I); σ is fixed, or one learned number for all values (`learned=True`)."""

    def __init__(self, std: float = 1.0, learned: bool = False):
        super().__init__()
        if not std > 0:
            raise InputError(f"std = {std}: expected more than 0")
        log_var = torch.tensor(2 * math.log(std))
        if learned:
            self.log_var = nn.Parameter(log_var)
        else:
            self.register_buffer("log_var", log_var)

    def check(self, x: Any) -> None:
        """Any values will do; warns where they are far from unit scale."""
        low, high = data_range(x)
        if max(-low, high) > FAR:
            warnings.warn(
                f"the data lie in [{low:.3g}, {high:.3g}], far from the unit scale that networks and Adam expect, "
                "and the ELBO may stay poor: standardize each feature first",
                GuessWarning,
                stacklevel=2,
            )

    def log_prob(self, mean: Tensor, x: Tensor) -> Tensor:
        """Σ −½ [ln 2π + ln σ² + (x − mean)²/σ²]: (N, *sample) -> (N,)."""
        _check_shape(mean, x)
        square = (x - mean).square().flatten(1)
        return -0.5 * (square / self.log_var.exp() + self.log_var + math.log(2 * math.pi)).sum(dim=1)

    def total(self, mean: Tensor, x: Tensor) -> Tensor:
        """The log-likelihood of the whole batch, a scalar."""
        _check_shape(mean, x)
        constant = x.numel() * (self.log_var + math.log(2 * math.pi))
        return -0.5 * (F.mse_loss(mean, x, reduction="sum") / self.log_var.exp() + constant)

    def mean(self, mean: Tensor) -> Tensor:
        """E[x | z]."""
        return mean


def _check_shape(mean: Tensor, x: Tensor) -> None:
    """`InputError` for a mean of another shape, which torch would broadcast."""
    if mean.shape != x.shape:
        raise InputError(f"the decoder gives {tuple(mean.shape)} for samples {tuple(x.shape)}, expected the same shape")


LIKELIHOODS = {
    "bernoulli": Bernoulli,
    "gaussian": Gaussian,
    "gaussian-learned": lambda std=1.0: Gaussian(std, learned=True),
}
