"""Models of one function with declared shapes: ONNX files, exported programs, Keras models."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from vaeviz.model.decoder import Decoder
from vaeviz.model.encoder import Encoder
from vaeviz.model.opening import Model, Role

Shape = Sequence[Any] | None


def model_from_signature(
    fn: Callable[..., Any], input_shape: Shape, output_shapes: Sequence[Shape], name: str, **declared: Any
) -> Model:
    """Return a function as an encoder or a decoder, with its shapes and its batch size declared.

    Parameters
    ----------
    fn : callable
        The function.
    input_shape : sequence, optional
        Shape of its first input, the batch axis first. Sides that are not integers are free.
    output_shapes : sequence of sequences
        Shapes of its outputs, the batch axis first.
    name : str
        Name of the model.
    **declared
        Passed to `Encoder` and `Decoder`, e.g. ``layout``.
    """
    batch_size = input_shape[0] if input_shape and isinstance(input_shape[0], int) else None
    sample_shape = _fixed_sample_shape(input_shape)
    shared = {"name": name, "batch_size": batch_size, "pad": True if batch_size else None, **declared}
    return Model(
        Encoder(fn, input_shape=sample_shape, **shared),
        Decoder(fn, latent_shape=sample_shape, **shared),
        name=name,
        either=True,
        likely=_likely_role(sample_shape, [_fixed_sample_shape(shape) for shape in output_shapes]),
    )


def _fixed_sample_shape(shape: Shape) -> tuple[int, ...] | None:
    """Return the shape of one sample, or None if a side is free."""
    sample_shape = tuple(shape[1:]) if shape else ()
    return sample_shape if sample_shape and all(isinstance(side, int) for side in sample_shape) else None


def _likely_role(input_shape: tuple[int, ...] | None, output_shapes: Sequence[tuple[int, ...] | None]) -> Role | None:
    """Return "encoder" if an output is smaller than the input, "decoder" if one is larger."""
    known = [shape for shape in output_shapes if shape is not None]
    if input_shape is None or not known or len(known) < len(output_shapes):
        return None
    sizes = [math.prod(shape) for shape in known]
    if min(sizes) < math.prod(input_shape):
        return "encoder"
    return "decoder" if max(sizes) > math.prod(input_shape) else None
