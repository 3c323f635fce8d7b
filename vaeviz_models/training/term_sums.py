"""Sums of the terms of the ELBO over many batches."""

from __future__ import annotations

import torch
from torch import Tensor

from vaeviz_models.training.processes import ONE_PROCESS, Processes


class TermSums:
    """Sums of log-likelihood and KL on the device, so that no step waits for the numbers of the one before.

    Parameters
    ----------
    device : torch.device
        Device of the terms.
    processes : Processes, optional
        Processes that add terms, by default this one. What is read are the sums over all, so all must read together.
    """

    def __init__(self, device: torch.device, processes: Processes = ONE_PROCESS) -> None:
        self.processes = processes
        dtype = torch.float32 if device.type == "mps" else torch.float64  # MPS has no float64
        self.totals = torch.zeros(2, dtype=dtype, device=device)
        self.finite_batches = torch.zeros((), dtype=torch.int64, device=device)
        self.has_kl = True

    def reset(self) -> None:
        """Set the sums to zero."""
        self.totals.zero_()
        self.finite_batches.zero_()

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
        self.finite_batches += self.totals.isfinite().all()  # a sum that is not finite stays so

    @property
    def n_finite_batches(self) -> int:
        """Number of batches that were added before the first one whose terms are not finite."""
        return int(self.processes.min(self.finite_batches))

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
        """
        log_likelihood, kl = (self.processes.sum(self.totals) / n_samples).tolist()
        if not self.has_kl:
            return {"log_likelihood": log_likelihood}
        return {"elbo": log_likelihood - kl, "log_likelihood": log_likelihood, "kl": kl}
