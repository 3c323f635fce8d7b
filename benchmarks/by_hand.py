"""The reference training written directly with torch's kernels: no autograd, no modules, gradients in place.

It shows the most that a training loop in torch could gain.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from benchmarks.tutorial import Epoch, first_model

ADAM = {"lr": 1e-3, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "weight_decay": 0.0, "amsgrad": False, "maximize": False}


def by_hand(x: np.ndarray, batch_size: int, precision: str) -> Epoch:
    """Return a function that trains 784-512-2 for one epoch and returns its mean ELBO (nats).

    x has shape (N, 28, 28); the large products are computed in `precision`.
    """
    dtype = getattr(torch, precision)
    images = torch.from_numpy(x.reshape(len(x), -1))
    model = first_model()
    encoder, head, decoder = model.encoder.features[0], model.encoder.head, model.decoder
    layers = (encoder, head.mean, head.log_var, decoder.features[0], decoder.out)
    weights = [part.detach() for layer in layers for part in (layer.weight, layer.bias)]
    gradients, firsts, seconds = ([torch.zeros_like(weight) for weight in weights] for _ in range(3))
    steps = [torch.tensor(0.0) for _ in weights]
    shuffling, noise = (torch.Generator().manual_seed(0) for _ in range(2))
    sums = torch.zeros(2, dtype=torch.float64)

    @torch.no_grad()
    def epoch() -> float:
        sums.zero_()
        for rows in torch.randperm(len(images), generator=shuffling).split(batch_size):
            sums.add_(_write_gradients(images.index_select(0, rows), weights, gradients, dtype, noise))
            torch._foreach_add_(steps, 1.0)
            torch._fused_adam_(weights, gradients, firsts, seconds, [], steps, **ADAM)
        log_likelihood, kl = (sums / len(images)).tolist()
        return log_likelihood - kl

    return epoch


def _write_gradients(
    x: Tensor, weights: list[Tensor], gradients: list[Tensor], dtype: torch.dtype, noise: torch.Generator
) -> Tensor:
    """Write the gradients of −ELBO / N to `gradients`; return (log-likelihood, KL) summed over the batch x (N, 784)."""
    w1, b1, w_mean, b_mean, w_log_var, b_log_var, w2, b2, w3, b3 = weights
    low, w1, w3 = x.to(dtype), w1.to(dtype), w3.to(dtype)
    hidden = torch.addmm(b1.to(dtype), low, w1.T).relu_().float()
    mean, log_var = torch.addmm(b_mean, hidden, w_mean.T), torch.addmm(b_log_var, hidden, w_log_var.T)
    std = (0.5 * log_var).exp()
    epsilon = torch.randn(mean.shape, generator=noise)
    z = mean + std * epsilon
    features = torch.addmm(b2, z, w2.T).relu_()
    low_features = features.to(dtype)
    logits = torch.addmm(b3.to(dtype), low_features, w3.T).float()
    log_likelihood = -F.binary_cross_entropy_with_logits(logits, x, reduction="sum")
    kl = 0.5 * (mean.square() + std.square() - 1 - log_var).sum()

    to_logits = logits.sigmoid_().sub_(x).div_(len(x))
    low_to_logits = to_logits.to(dtype)
    to_features = (low_to_logits @ w3).float().mul_(features > 0)
    to_z = to_features @ w2
    to_mean = to_z + mean / len(x)
    to_log_var = 0.5 * (to_z * epsilon * std + (std.square() - 1) / len(x))
    to_hidden = torch.addmm(to_mean @ w_mean, to_log_var, w_log_var).mul_(hidden > 0)
    for place, to_outputs, inputs in (
        (0, to_hidden.to(dtype), low),
        (2, to_mean, hidden),
        (4, to_log_var, hidden),
        (6, to_features, z),
        (8, low_to_logits, low_features),
    ):
        if inputs.dtype == torch.float32:
            torch.mm(to_outputs.T, inputs, out=gradients[place])
        else:
            gradients[place].copy_(to_outputs.T @ inputs)
        torch.sum(to_outputs, 0, dtype=torch.float32, out=gradients[place + 1])
    return torch.stack([log_likelihood, kl])
