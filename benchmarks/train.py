"""One epoch of the reference VAE, 784-512-2 on MNIST's 60,000 images with Adam, beside Keras 3 and the tutorial loop.

All start from the same weights, and each round takes every one of them an epoch further.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"  # the fastest of its three here

import keras
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from benchmarks.cases import Case
from vaeviz.data import load_data
from vaeviz_models import VAE, Training, fit, mlp, seeded
from vaeviz_models.precision import has_bfloat16_units

GOALS = {
    128: {"float32": 0.8, "bfloat16": 0.55},
    50: {"float32": 1.1, "bfloat16": 0.9},
    256: {"float32": 0.7, "bfloat16": 0.45},
}
STEPS_AT_ONCE = 32
"""Of Keras, which is faster so than step by step."""

Epoch = Callable[[], float]
"""Trains one epoch more; returns the mean ELBO of its samples in nats, while the weights moved."""


def cases(data_dir: Path | None) -> list[Case]:
    """One case a batch size. Each work has trained an epoch already: compiled, and past the first large steps."""
    torch.set_flush_denormal(True)  # as `vaeviz train` does, before torch starts its threads
    x = load_data("mnist", split="train", data_dir=data_dir).x
    return [_case(x, batch_size, goal) for batch_size, goal in GOALS.items()]


def _case(x: np.ndarray, batch_size: int, goal: Mapping[str, float]) -> Case:
    has_units = has_bfloat16_units(torch.device("cpu"))
    precisions = ("float32", "bfloat16") if has_units else ("float32",)
    peers = {"Keras 3 on jax": peer_keras(x, batch_size)}
    if batch_size == 128:
        peers["tutorial loop"] = peer_tutorial(x, batch_size)
    return Case(
        name=f"an epoch of 784-512-2, batch {batch_size}",
        ours={precision: _warm(ours(x, batch_size, precision)) for precision in precisions},
        peers={name: _warm(epoch) for name, epoch in peers.items()},
        goal={precision: goal[precision] for precision in precisions},
        check=_agreement,
        note="" if has_units else "This CPU has no units for bfloat16.",
    )


def ours(x: np.ndarray, batch_size: int, precision: str) -> Epoch:
    """`fit`, resumed for one more epoch, the checks of its data included."""
    state = Training.start(first_model(), precision=precision, device="cpu")

    def epoch() -> float:
        settings = {"epochs": state.epoch + 1, "batch_size": batch_size, "resume": state}
        return fit(state.model, x, progress=False, **settings)["train_elbo"][-1]

    return epoch


def peer_keras(x: np.ndarray, batch_size: int) -> Epoch:
    """The functional VAE in Keras: compiled, from logits, several steps at once."""
    flat = x.reshape(len(x), -1)
    model = keras_vae(first_model())

    def epoch() -> float:
        trained = model.fit(flat, flat, batch_size=batch_size, epochs=1, verbose=0)
        return -trained.history["loss"][0]

    return epoch


def peer_tutorial(x: np.ndarray, batch_size: int) -> Epoch:
    """The loop that tutorials write: a DataLoader, plain Adam, the cross-entropy of probabilities, loss.item()."""
    model = first_model()
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
    dataset = torch.utils.data.TensorDataset(torch.from_numpy(x))
    loader = torch.utils.data.DataLoader(dataset, batch_size=batch_size, shuffle=True)

    def epoch() -> float:
        total = 0.0
        model.train()
        for (batch,) in loader:
            optimiser.zero_grad()
            reconstructed, mean, log_var = model(batch)
            cross_entropy = F.binary_cross_entropy(reconstructed, batch, reduction="sum")
            kl = -0.5 * torch.sum(1 + log_var - mean.pow(2) - log_var.exp())
            loss = cross_entropy + kl
            (loss / len(batch)).backward()
            total += loss.item()
            optimiser.step()
        return -total / len(x)

    return epoch


def first_model(seed: int = 0) -> VAE:
    """The reference network with the weights that all begin with."""
    return seeded(mlp, (28, 28), seed=seed)


def layers(model: VAE) -> dict[str, nn.Linear]:
    """The layers of ours by the names that those of Keras have."""
    encoder, decoder = model.encoder, model.decoder
    return {
        "hidden": encoder.features[0],
        "mean": encoder.head.mean,
        "log_var": encoder.head.log_var,
        "decoder": decoder.features[0],
        "logits": decoder.out,
    }


def keras_vae(ours: VAE, seed: int = 0) -> keras.Model:
    """The same network in Keras, with the same weights."""
    dense = {name: keras.layers.Dense(layer.out_features, name=name) for name, layer in layers(ours).items()}
    x = keras.Input((784,))
    hidden = keras.ops.relu(dense["hidden"](x))
    z = Sample(seed)([dense["mean"](hidden), dense["log_var"](hidden)])
    model = keras.Model(x, dense["logits"](keras.ops.relu(dense["decoder"](z))))
    for name, layer in layers(ours).items():
        dense[name].set_weights([layer.weight.detach().numpy().T, layer.bias.detach().numpy()])
    model.compile(keras.optimizers.Adam(1e-3), loss=_cross_entropy, steps_per_execution=STEPS_AT_ONCE)
    return model


class Sample(keras.layers.Layer):
    """z of q(z | x); its KL to the prior is a loss of the layer."""

    def __init__(self, seed: int):
        super().__init__()
        self.seeds = keras.random.SeedGenerator(seed)

    def call(self, inputs: list) -> object:
        mean, log_var = inputs
        ops = keras.ops
        self.add_loss(ops.mean(0.5 * ops.sum(ops.square(mean) + ops.exp(log_var) - 1 - log_var, axis=1)))
        return mean + ops.exp(0.5 * log_var) * keras.random.normal(ops.shape(mean), seed=self.seeds)


def _cross_entropy(x: object, logits: object) -> object:
    return keras.ops.sum(keras.ops.binary_crossentropy(x, logits, from_logits=True), axis=-1)


def _warm(epoch: Epoch) -> Epoch:
    epoch()
    return epoch


def _agreement(made: Mapping[str, float]) -> str:
    elbos = ", ".join(f"{name} {elbo:.2f}" for name, elbo in made.items())
    return f"mean training ELBO of the last epoch, in nats: {elbos}"
