"""Models of one function that say what shapes they take and return: ONNX files, exported programs, Keras models."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from vaeviz.model.decoder import Decoder
from vaeviz.model.encoder import Encoder
from vaeviz.model.opening import Model, Role

Shape = Sequence[Any] | None


def from_signature(fn: Callable, takes: Shape, gives: Sequence[Shape], name: str, **declared: Any) -> Model:
    """A function as encoder or decoder, whichever it is asked to be, with its shapes and its batch size declared.

    takes: (n, ...) of its first input, gives: (n, ...) of each output; what is not an integer is free.
    declared: passed on to both, e.g. ``layout``.
    """
    batch = takes[0] if takes and isinstance(takes[0], int) else None
    fixed = {"batch_size": batch, "pad": True} if batch else {}
    shape = _known(takes)
    return Model(
        Encoder(fn, input_shape=shape, name=name, **fixed, **declared),
        Decoder(fn, latent_shape=shape, name=name, **fixed, **declared),
        name=name,
        either=True,
        likely=_likely_role(shape, [_known(given) for given in gives]),
    )


def _known(shape: Shape) -> tuple[int, ...] | None:
    """The shape of one sample, where all of it is fixed."""
    sample = tuple(shape[1:]) if shape else ()
    return sample if sample and all(isinstance(size, int) for size in sample) else None


def _likely_role(takes: tuple[int, ...] | None, gives: Sequence[tuple[int, ...] | None]) -> Role | None:
    """An encoder makes samples smaller, at least in one output; a decoder makes codes larger."""
    if takes is None or not gives or None in gives:
        return None
    sizes = [math.prod(shape) for shape in gives]
    if min(sizes) < math.prod(takes):
        return "encoder"
    return "decoder" if max(sizes) > math.prod(takes) else None
