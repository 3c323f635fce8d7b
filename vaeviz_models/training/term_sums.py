"""Sums of the terms of the ELBO over many batches."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from vaeviz.errors import Fix, InputError


class TermSums:
    """Sums of log-likelihood and KL on the device, so that no step waits for the numbers of the one before.

    Parameters
    ----------
    device : torch.device
        Device of the terms.
    """

    def __init__(self, device: torch.device) -> None:
        dtype = torch.float32 if device.type == "mps" else torch.float64  # MPS has no float64
        self.totals = torch.zeros(2, dtype=dtype, device=device)
        self.has_kl = True

    def reset(self) -> None:
        """Set the sums to zero."""
        self.totals.zero_()

    def add(self, log_likelihood: Tensor, kl: Tensor | None) -> None:
        """Add the terms of a batch.

        Parameters
        ----------
        log_likelihood : Tensor, shape ()
            Log-likelihood, summed over the batch.
        kl : Tensor, shape (), or None
            KL, summed over the batch; None for a model without KL.
        """
        self.has_kl = kl is not None
        self.totals[0] += log_likelihood.detach()
        if kl is not None:
            self.totals[1] += kl.detach()

    def means(self, n_samples: int) -> dict[str, float]:
        """Return the means per sample.

        Parameters
        ----------
        n_samples : int
            Number of samples that were added.

        Returns
        -------
        dict of float
            ``elbo``, ``log_likelihood`` and ``kl`` in nats; the log-likelihood alone for a model without KL.

        Raises
        ------
        InputError
            If a mean is not finite.
        """
        log_likelihood, kl = (self.totals / n_samples).tolist()
        if not math.isfinite(log_likelihood + kl):
            raise InputError(
                "Training diverged: the ELBO is no longer finite.",
                got=f"log-likelihood {log_likelihood:g}, KL {kl:g}",
                expected="finite numbers",
                fix=Fix(
                    "Lower learning_rate, or check the scale of the data.",
                    "Lower --learning-rate, or check the scale of the data.",
                ),
            )
        if not self.has_kl:
            return {"log_likelihood": log_likelihood}
        return {"elbo": log_likelihood - kl, "log_likelihood": log_likelihood, "kl": kl}
