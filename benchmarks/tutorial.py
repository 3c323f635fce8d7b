"""The reference network of the training benchmarks, and the training loop of tutorials."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from vaeviz_models import VAE, mlp, seeded

Epoch = Callable[[], float]
"""Trains for one more epoch and returns the mean ELBO of its samples (nats), computed while the weights change."""


def first_model(seed: int = 0) -> VAE:
    """Return the reference network with the weights that all start from."""
    return seeded(mlp, (28, 28), seed=seed)


def tutorial(x: np.ndarray, batch_size: int, device: str = "cpu") -> Epoch:
    """Return an epoch: a DataLoader, plain Adam, the cross-entropy of probabilities, loss.item() in every step."""
    model = first_model().to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    loader = DataLoader(TensorDataset(torch.from_numpy(x)), batch_size=batch_size, shuffle=True)

    def epoch() -> float:
        total = 0.0
        model.train()
        for (batch,) in loader:
            batch = batch.to(device)
            optimizer.zero_grad()
            reconstructed, mean, log_var = model(batch)
            cross_entropy = F.binary_cross_entropy(reconstructed, batch, reduction="sum")
            kl = -0.5 * torch.sum(1 + log_var - mean.pow(2) - log_var.exp())
            loss = cross_entropy + kl
            (loss / len(batch)).backward()
            total += loss.item()
            optimizer.step()
        return -total / len(x)

    return epoch
