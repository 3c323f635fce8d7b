"""Encoders from samples to (mean, log-variance), decoders from codes to the likelihood's parameters."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from vaeviz.errors import InputError, UnknownName

Activation = Literal["relu", "tanh"]
ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh}


def dense(sizes: Sequence[int], activation: Activation = "relu") -> nn.Sequential:
    """Linear layers of those sizes, the activation after each."""
    if activation not in ACTIVATIONS:
        raise UnknownName("activation", activation, ACTIVATIONS)
    layers: list[nn.Module] = []
    for size_in, size_out in zip(sizes, sizes[1:]):
        layers += [nn.Linear(size_in, size_out), ACTIVATIONS[activation]()]
    return nn.Sequential(*layers)


class Head(nn.Module):
    """The last layer of an encoder: features (N, F) to the posterior's mean and log-variance, (N, D) each.

    In float32 also where other layers multiply in bfloat16: KL and z are made of these few numbers.
    """

    def __init__(self, features: int, latent_dim: int):
        super().__init__()
        self.mean = nn.Linear(features, latent_dim)
        self.log_var = nn.Linear(features, latent_dim)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        with torch.autocast(features.device.type, enabled=False):
            features = features.to(self.mean.weight.dtype)
            return self.mean(features), self.log_var(features)


class DenseEncoder(nn.Module):
    """x (N, *sample) -> mean, log-variance (N, D), through layers of the `hidden` sizes.

    head: what turns features into codes; with `nn.Linear` the encoder gives codes (N, D) alone.
    """

    def __init__(
        self,
        sample_shape: Sequence[int],
        latent_dim: int = 2,
        hidden: Sequence[int] = (512,),
        head: Callable[[int, int], nn.Module] = Head,
        activation: Activation = "relu",
    ):
        super().__init__()
        self.sample_shape = tuple(sample_shape)
        sizes = [math.prod(sample_shape), *hidden]
        self.features = dense(sizes, activation)
        self.head = head(sizes[-1], latent_dim)

    @property
    def gives_spread(self) -> bool:
        return isinstance(self.head, Head)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor] | Tensor:
        return self.head(self.features(x.flatten(1)))


class DenseDecoder(nn.Module):
    """z (N, D) -> (N, *sample), through layers of the `hidden` sizes in reverse."""

    def __init__(
        self,
        sample_shape: Sequence[int],
        latent_dim: int = 2,
        hidden: Sequence[int] = (512,),
        activation: Activation = "relu",
    ):
        super().__init__()
        self.sample_shape, self.latent_dim = tuple(sample_shape), latent_dim
        sizes = [latent_dim, *reversed(hidden)]
        self.features = dense(sizes, activation)
        self.out = nn.Linear(sizes[-1], math.prod(sample_shape))

    def forward(self, z: Tensor) -> Tensor:
        return self.out(self.features(z)).reshape(-1, *self.sample_shape)


class ConvEncoder(nn.Module):
    """Images (N, H, W[, C]) -> mean, log-variance (N, D), through stride-2 convolutions of those `channels`.

    head: as of `DenseEncoder`.
    """

    def __init__(
        self,
        sample_shape: Sequence[int],
        latent_dim: int = 2,
        channels: Sequence[int] = (32, 64),
        head: Callable[[int, int], nn.Module] = Head,
    ):
        super().__init__()
        self.sample_shape = tuple(sample_shape)
        height, width, colors = image_shape(sample_shape)
        sizes = [colors, *channels]
        layers: list[nn.Module] = []
        for size_in, size_out in zip(sizes, sizes[1:]):
            layers += [nn.Conv2d(size_in, size_out, 3, stride=2, padding=1), nn.ReLU()]
        self.features = nn.Sequential(*layers)
        height, width = downsampled_sizes(height, width, len(channels))[-1]
        self.head = head(sizes[-1] * height * width, latent_dim)

    @property
    def gives_spread(self) -> bool:
        return isinstance(self.head, Head)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor] | Tensor:
        images = x.unsqueeze(1) if x.ndim == 3 else x.movedim(-1, 1)
        return self.head(self.features(images).flatten(1))


class ConvDecoder(nn.Module):
    """z (N, D) -> images (N, H, W[, C]), through transposed convolutions that mirror `ConvEncoder`'s."""

    def __init__(self, sample_shape: Sequence[int], latent_dim: int = 2, channels: Sequence[int] = (32, 64)):
        super().__init__()
        self.sample_shape, self.latent_dim = tuple(sample_shape), latent_dim
        height, width, colors = image_shape(sample_shape)
        sides = downsampled_sizes(height, width, len(channels))[::-1]
        sizes = [*reversed(channels), colors]
        self.small = (sizes[0], *sides[0])
        self.project = nn.Sequential(nn.Linear(latent_dim, math.prod(self.small)), nn.ReLU())
        layers: list[nn.Module] = []
        for size_in, size_out, small, large in zip(sizes, sizes[1:], sides, sides[1:]):
            odd = tuple(a - (2 * b - 1) for a, b in zip(large, small))  # 0 or 1: what the stride rounded away
            layers += [nn.ConvTranspose2d(size_in, size_out, 3, 2, 1, output_padding=odd), nn.ReLU()]
        self.features = nn.Sequential(*layers[:-1])

    def forward(self, z: Tensor) -> Tensor:
        images = self.features(self.project(z).reshape(-1, *self.small))
        return images.squeeze(1) if len(self.sample_shape) == 2 else images.movedim(1, -1)


def image_shape(sample_shape: Sequence[int]) -> tuple[int, int, int]:
    """(H, W, C) of samples (H, W) or (H, W, C); `InputError` for anything else."""
    if len(sample_shape) == 2:
        return (*sample_shape, 1)
    if len(sample_shape) == 3:
        return tuple(sample_shape)
    shape = tuple(sample_shape)
    raise InputError(f"a convolutional network takes images (H, W) or (H, W, C), got samples of shape {shape}")


def check_sizes(**sizes: int | Sequence[int]) -> None:
    """`InputError` unless all of these numbers of units are 1 or more."""
    for name, given in sizes.items():
        if min([given] if isinstance(given, int) else given, default=1) < 1:
            raise InputError(f"{name} = {given}: expected 1 or more")


def downsampled_sizes(height: int, width: int, times: int) -> list[tuple[int, int]]:
    """The sizes of an image as it is halved, rounding up: from (H, W) to the smallest."""
    if times < 1:
        raise InputError("channels: got none, expected one or more")
    sizes = [(height, width)]
    for _ in range(times):
        height, width = (height + 1) // 2, (width + 1) // 2
        sizes.append((height, width))
    return sizes
