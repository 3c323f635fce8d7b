"""Encoder networks from samples to posterior parameters, and decoder networks from codes to samples."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from vaeviz.errors import Fix, InputError, UnknownName

Activation = Literal["relu", "tanh"]
MAX_LAYERS = 1000  # each takes time and memory to build, however small; deeper stacks of plain layers do not train
ACTIVATIONS: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "tanh": nn.Tanh}


class PosteriorHead(nn.Module):
    """Last layer of an encoder: features (N, F) to mean and log-variance, (N, D) each.

    It computes in float32 even where other layers multiply in bfloat16, since the KL and z depend on few numbers.

    Parameters
    ----------
    n_features : int
        Number of features, F.
    latent_dim : int
        Number of latent dimensions, D.
    """

    def __init__(self, n_features: int, latent_dim: int) -> None:
        super().__init__()
        self.mean = nn.Linear(n_features, latent_dim)
        self.log_var = nn.Linear(n_features, latent_dim)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Compute mean and log-variance from features.

        Parameters
        ----------
        features : Tensor, shape (N, F)
            Output of the layers before.

        Returns
        -------
        mean, log_var : Tensor, shape (N, D)
            Parameters of q(z | x).
        """
        with torch.autocast(features.device.type, enabled=False):
            features = features.to(self.mean.weight.dtype)
            return self.mean(features), self.log_var(features)


class DenseEncoder(nn.Module):
    """Fully connected encoder of samples (N, ...).

    Parameters
    ----------
    sample_shape : sequence of int
        Shape of one sample.
    latent_dim : int, default 2
        Number of latent dimensions, D.
    hidden : sequence of int, default (512,)
        Width of each hidden layer.
    head : callable, default PosteriorHead
        ``head(n_features, latent_dim)`` builds the last layer. With `torch.nn.Linear` the encoder returns codes
        (N, D) instead of mean and log-variance.
    activation : {"relu", "tanh"}, default "relu"
        Activation after each hidden layer.
    """

    def __init__(
        self,
        sample_shape: Sequence[int],
        latent_dim: int = 2,
        hidden: Sequence[int] = (512,),
        head: Callable[[int, int], nn.Module] = PosteriorHead,
        activation: Activation = "relu",
    ) -> None:
        super().__init__()
        self.sample_shape = tuple(sample_shape)
        sizes = [math.prod(sample_shape), *hidden]
        self.features = dense_layers(sizes, activation)
        self.head = head(sizes[-1], latent_dim)

    @property
    def returns_log_var(self) -> bool:
        """Whether the encoder returns mean and log-variance rather than codes alone."""
        return isinstance(self.head, PosteriorHead)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor] | Tensor:
        """Encode samples.

        Parameters
        ----------
        x : Tensor, shape (N, ...)
            Samples.

        Returns
        -------
        tuple of Tensor, or Tensor
            Mean and log-variance, (N, D) each, or codes (N, D).
        """
        outputs: tuple[Tensor, Tensor] | Tensor = self.head(self.features(x.flatten(1)))
        return outputs


class DenseDecoder(nn.Module):
    """Fully connected decoder, with the hidden layers of `DenseEncoder` in reverse.

    Parameters
    ----------
    sample_shape : sequence of int
        Shape of one sample.
    latent_dim : int, default 2
        Number of latent dimensions, D.
    hidden : sequence of int, default (512,)
        Width of each hidden layer, in the order of the encoder.
    activation : {"relu", "tanh"}, default "relu"
        Activation after each hidden layer.
    """

    def __init__(
        self,
        sample_shape: Sequence[int],
        latent_dim: int = 2,
        hidden: Sequence[int] = (512,),
        activation: Activation = "relu",
    ) -> None:
        super().__init__()
        self.sample_shape, self.latent_dim = tuple(sample_shape), latent_dim
        sizes = [latent_dim, *reversed(hidden)]
        self.features = dense_layers(sizes, activation)
        self.out = nn.Linear(sizes[-1], math.prod(sample_shape))

    def forward(self, z: Tensor) -> Tensor:
        """Decode codes.

        Parameters
        ----------
        z : Tensor, shape (N, D)
            Codes.

        Returns
        -------
        Tensor, shape (N, ...)
            Parameters of the likelihood, in the shape of the samples.
        """
        values: Tensor = self.out(self.features(z))
        return values.reshape(-1, *self.sample_shape)


class ConvEncoder(nn.Module):
    """Convolutional encoder of images (N, H, W) or (N, H, W, C).

    Parameters
    ----------
    sample_shape : sequence of int
        Shape of one image, ``(H, W)`` or ``(H, W, C)``.
    latent_dim : int, default 2
        Number of latent dimensions, D.
    channels : sequence of int, default (32, 64)
        Number of channels after each convolution of stride 2.
    head : callable, default PosteriorHead
        ``head(n_features, latent_dim)`` builds the last layer, as in `DenseEncoder`.
    """

    def __init__(
        self,
        sample_shape: Sequence[int],
        latent_dim: int = 2,
        channels: Sequence[int] = (32, 64),
        head: Callable[[int, int], nn.Module] = PosteriorHead,
    ) -> None:
        super().__init__()
        self.sample_shape = tuple(sample_shape)
        height, width, n_colors = image_shape(sample_shape)
        sizes = [n_colors, *channels]
        layers: list[nn.Module] = []
        for size_in, size_out in zip(sizes, sizes[1:]):
            layers += [nn.Conv2d(size_in, size_out, 3, stride=2, padding=1), nn.ReLU()]
        self.features = nn.Sequential(*layers)
        height, width = downsampled_sizes(height, width, len(channels))[-1]
        self.head = head(sizes[-1] * height * width, latent_dim)

    @property
    def returns_log_var(self) -> bool:
        """Whether the encoder returns mean and log-variance rather than codes alone."""
        return isinstance(self.head, PosteriorHead)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor] | Tensor:
        """Encode images.

        Parameters
        ----------
        x : Tensor, shape (N, H, W) or (N, H, W, C)
            Images.

        Returns
        -------
        tuple of Tensor, or Tensor
            Mean and log-variance, (N, D) each, or codes (N, D).
        """
        images = x.unsqueeze(1) if x.ndim == 3 else x.movedim(-1, 1)
        outputs: tuple[Tensor, Tensor] | Tensor = self.head(self.features(images).flatten(1))
        return outputs


class ConvDecoder(nn.Module):
    """Convolutional decoder to images (N, H, W) or (N, H, W, C), the mirror image of `ConvEncoder`.

    Parameters
    ----------
    sample_shape : sequence of int
        Shape of one image, ``(H, W)`` or ``(H, W, C)``.
    latent_dim : int, default 2
        Number of latent dimensions, D.
    channels : sequence of int, default (32, 64)
        Number of channels of each layer, in the order of the encoder.
    """

    def __init__(self, sample_shape: Sequence[int], latent_dim: int = 2, channels: Sequence[int] = (32, 64)) -> None:
        super().__init__()
        self.sample_shape, self.latent_dim = tuple(sample_shape), latent_dim
        height, width, n_colors = image_shape(sample_shape)
        sides = downsampled_sizes(height, width, len(channels))[::-1]
        sizes = [*reversed(channels), n_colors]
        self.small = (sizes[0], *sides[0])
        self.project = nn.Sequential(nn.Linear(latent_dim, math.prod(self.small)), nn.ReLU())
        layers: list[nn.Module] = []
        for size_in, size_out, small, large in zip(sizes, sizes[1:], sides, sides[1:]):
            # the row and the column that rounding up added to the smaller image, 0 or 1 each
            padding = (large[0] - (2 * small[0] - 1), large[1] - (2 * small[1] - 1))
            layers += [nn.ConvTranspose2d(size_in, size_out, 3, 2, 1, output_padding=padding), nn.ReLU()]
        self.features = nn.Sequential(*layers[:-1])

    def forward(self, z: Tensor) -> Tensor:
        """Decode codes.

        Parameters
        ----------
        z : Tensor, shape (N, D)
            Codes.

        Returns
        -------
        Tensor, shape (N, H, W) or (N, H, W, C)
            Parameters of the likelihood.
        """
        images: Tensor = self.features(self.project(z).reshape(-1, *self.small))
        return images.squeeze(1) if len(self.sample_shape) == 2 else images.movedim(1, -1)


def dense_layers(sizes: Sequence[int], activation: Activation = "relu") -> nn.Sequential:
    """Build linear layers, each followed by the activation.

    Parameters
    ----------
    sizes : sequence of int
        Width of the input and of each layer.
    activation : {"relu", "tanh"}, default "relu"
        The activation.

    Returns
    -------
    torch.nn.Sequential
        The layers; empty for a single size.

    Raises
    ------
    UnknownName
        If there is no such activation.
    """
    if activation not in ACTIVATIONS:
        raise UnknownName("activation", activation, ACTIVATIONS)
    layers: list[nn.Module] = []
    for size_in, size_out in zip(sizes, sizes[1:]):
        layers += [nn.Linear(size_in, size_out), ACTIVATIONS[activation]()]
    return nn.Sequential(*layers)


def image_shape(sample_shape: Sequence[int]) -> tuple[int, int, int]:
    """Return (H, W, C) of images with or without a channel axis.

    Parameters
    ----------
    sample_shape : sequence of int
        ``(H, W)`` or ``(H, W, C)``.

    Returns
    -------
    tuple of int
        Height, width and number of channels.

    Raises
    ------
    InputError
        If the samples are not images.
    """
    match tuple(sample_shape):
        case (height, width):
            return height, width, 1
        case (height, width, n_channels):
            return height, width, n_channels
    raise InputError(
        f"The samples have shape {tuple(sample_shape)}, but a convolutional network needs images (H, W) or (H, W, C).",
        got=str(tuple(sample_shape)),
        expected="(H, W) or (H, W, C)",
        fix=Fix("Use vaeviz_models.mlp.", "Train mlp instead."),
    )


def check_sizes(**sizes: int | Sequence[int]) -> None:
    """Raise InputError unless all layer sizes are at least 1, and the layers at most `MAX_LAYERS`.

    Parameters
    ----------
    **sizes
        A size or a sequence of sizes, by parameter name.

    Raises
    ------
    InputError
        If a size is below 1, or if there are too many.
    """
    for name, value in sizes.items():
        layers = [value] if isinstance(value, int) else value
        if len(layers) > MAX_LAYERS:
            limit = f"{MAX_LAYERS} at most"
            raise InputError(f"{name} has {len(layers):,} layers, but {limit}.", got=str(len(layers)), expected=limit)
        if min(layers, default=1) < 1:
            raise InputError(f"{name} is {value}, but must be at least 1.", got=str(value), expected="1 or more")


def downsampled_sizes(height: int, width: int, n_times: int) -> list[tuple[int, int]]:
    """Return the sizes of an image that is halved several times, rounding up.

    Parameters
    ----------
    height, width : int
        Size of the image in pixels.
    n_times : int
        How many times it is halved.

    Returns
    -------
    list of tuple of int
        ``(height, width)`` from the full image to the smallest.

    Raises
    ------
    InputError
        If `n_times` is below 1.

    Examples
    --------
    >>> downsampled_sizes(28, 7, 2)
    [(28, 7), (14, 4), (7, 2)]
    """
    if n_times < 1:
        raise InputError("channels is empty, but a convolutional network needs at least one layer.", got="()")
    sizes = [(height, width)]
    for _ in range(n_times):
        height, width = (height + 1) // 2, (width + 1) // 2
        sizes.append((height, width))
    return sizes
