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

from benchmarks.by_hand import by_hand
from benchmarks.cases import Case, Work
from benchmarks.tutorial import Epoch, first_model, tutorial
from vaeviz.data.loading import load_data
from vaeviz_models import VAE, TrainState, fit
from vaeviz_models.training.precision import has_bfloat16_units

GOALS = {
    128: {"float32": 0.8, "bfloat16": 0.55},
    50: {"float32": 1.1, "bfloat16": 0.9},
    256: {"float32": 0.7, "bfloat16": 0.45},
}
NOTE = (
    "The rows without a goal bound what a loop in torch can gain, within the noise that their ranges show. By hand: "
    "the steps of this one network written out, without autograd and modules. Products alone: the five large ones "
    "of each step, their operands in the cache and already converted. Tried while it was written, for less than a "
    "tenth or nothing, and not kept: gradients handed to Adam's kernel without its class, both heads in one "
    "product, a cross-entropy of our own in fewer passes, torch.compile, one flat tensor of weights for Adam, "
    "torch's implicit bfloat16 in float32 products, OpenMP threads that wait actively or are bound to cores, huge "
    "pages"
)
STEPS_AT_ONCE = 32
"""Of Keras, which is faster so than step by step."""


def cases(data_dir: Path | None) -> list[Case]:
    """One case a batch size. Each work has trained an epoch already: compiled, and past the first large steps."""
    torch.set_flush_denormal(True)  # as `vaeviz train` does, before torch starts its threads
    x = load_data("mnist", split="train", data_dir=data_dir).x
    has_units = has_bfloat16_units(torch.device("cpu"))
    precisions = ("float32", "bfloat16") if has_units else ("float32",)
    return [
        _case(x, batch_size, {precision: goal[precision] for precision in precisions})
        for batch_size, goal in GOALS.items()
    ]


def _case(x: np.ndarray, batch_size: int, goal: Mapping[str, float]) -> Case:
    """Ours in each precision, and what its steps by hand and their products alone take, beside the peers."""
    steps = len(x) // batch_size
    works = {precision: ours(x, batch_size, precision) for precision in goal}
    works |= {f"{precision}, by hand": by_hand(x, batch_size, precision) for precision in goal}
    works |= {f"{precision}, products alone": products(steps, batch_size, precision) for precision in goal}
    peers = {"Keras 3 on jax": peer_keras(x, batch_size)}
    if batch_size == 128:
        peers["tutorial loop"] = tutorial(x, batch_size)
    return Case(
        name=f"an epoch of 784-512-2, batch {batch_size}",
        ours={name: _warm(work) for name, work in works.items()},
        peers={name: _warm(epoch) for name, epoch in peers.items()},
        goal=goal,
        check=_agreement,
        note=NOTE if "bfloat16" in goal else f"This CPU has no units for bfloat16. {NOTE}",
    )


def ours(x: np.ndarray, batch_size: int, precision: str) -> Epoch:
    """`fit`, resumed for one more epoch, the checks of its data included."""
    state = TrainState.start(first_model(), precision=precision, device="cpu")

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


def products(steps: int, batch_size: int, precision: str) -> Callable[[], None]:
    """The five large products of each step: two forward, two for the weights' gradients, one for the hidden layer's."""
    dtype = getattr(torch, precision)
    x, hidden = (torch.randn(batch_size, size, dtype=dtype) for size in (784, 512))
    encoder, decoder = torch.randn(512, 784, dtype=dtype), torch.randn(784, 512, dtype=dtype)

    @torch.no_grad()
    def epoch() -> None:
        for _ in range(steps):
            _ = x @ encoder.T, hidden @ decoder.T, hidden.T @ x, x.T @ hidden, x @ decoder

    return epoch


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


def _warm(work: Work) -> Work:
    work()
    return work


def _agreement(made: Mapping[str, float | None]) -> str:
    """Of all but the products, which make nothing."""
    elbos = ", ".join(f"{name} {elbo:.2f}" for name, elbo in made.items() if elbo is not None)
    return f"mean training ELBO of the last epoch, in nats: {elbos}"
