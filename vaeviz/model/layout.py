"""The shape in which an encoder receives samples: declared, or proven by the first torch layer and by a call."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from vaeviz.data.channels import channels_first_shape, match_shape
from vaeviz.errors import GuessWarning, advise, declare, warn_user
from vaeviz.model.calling import ForeignFunction
from vaeviz.model.encoder import Encoder
from vaeviz.model.torch_probe import ModuleCall


@dataclass(frozen=True)
class InputLayout:
    """How samples are arranged for an encoder.

    Parameters
    ----------
    shape : tuple of int
        Shape of one sample for the encoder. ``(-1,)`` for flat samples.
    moves_channels : bool, default False
        True if the last axis becomes the first, whatever the shapes say.
    evidence : str, default ""
        Why.
    """

    shape: tuple[int, ...]
    moves_channels: bool = False
    evidence: str = ""

    def arrange(self, batch: np.ndarray) -> np.ndarray:
        """Return samples in this layout.

        Parameters
        ----------
        batch : ndarray, shape (n, ...)
            The samples.

        Returns
        -------
        ndarray, shape (n, *shape)
            The same samples, contiguous.
        """
        arranged = np.moveaxis(batch, -1, 1) if self.moves_channels else match_shape(batch, self.shape)
        return np.ascontiguousarray(arranged)


def declared_layout(encoder: Encoder, shape: tuple[int, ...]) -> InputLayout | None:
    """Return the layout that an encoder declares.

    Parameters
    ----------
    encoder : Encoder
        The encoder.
    shape : tuple of int
        Shape of one sample in the data.

    Returns
    -------
    InputLayout or None
        The layout. None if none is declared.

    Raises
    ------
    InputError
        If such samples do not fit.
    """
    expected = encoder.declared_shape(shape)
    if expected is None:
        return None
    is_cube = len(shape) == 3 and len(set(shape)) == 1
    moves = is_cube and encoder.input_shape is None and encoder.layout == "channels_first"
    layout = InputLayout(expected, moves, "declared, or known to its adapter")
    try:
        layout.arrange(np.empty((1, *shape), np.float32))
    except ValueError:
        raise encoder.wrong_shape_error(shape, expected) from None
    return layout


def call_in_layout(call: ForeignFunction, encoder: Encoder, arrays: list[np.ndarray]) -> tuple[Any, InputLayout]:
    """Call an encoder that declares no layout, in the layout that its first torch layer needs.

    Samples are sent as they are first. That call shows which layer comes first and what it receives, even if it fails.

    Parameters
    ----------
    call : ForeignFunction
        The encoder's function.
    encoder : Encoder
        The encoder.
    arrays : list of ndarray
        A batch of samples, and of conditions if there are any.

    Returns
    -------
    returned : Any
        What the function returned.
    layout : InputLayout
        The layout that worked.
    """
    batch, *conditions = arrays
    as_they_are = InputLayout(batch.shape[1:], evidence="the samples as they are")
    returned, failure = None, None
    try:
        returned = call(batch, *conditions)
    except Exception as error:
        failure = error
    for candidate in _better_layouts(call.module_calls, batch.shape, encoder, is_failure=failure is not None):
        try:
            return call(candidate.arrange(batch), *conditions), candidate
        except Exception as error:
            failure = failure or error
    if failure is not None:
        raise failure
    return returned, as_they_are


def _better_layouts(
    module_calls: list[ModuleCall], sent: tuple[int, ...], encoder: Encoder, *, is_failure: bool
) -> list[InputLayout]:
    """Return the layouts to try after the samples were sent as they are."""
    first = next((one for one in module_calls if getattr(one.module, "weight", None) is not None), None)
    needed = None if first is None else _layout_for_layer(first, sent, encoder)
    if needed is not None:
        return [needed]
    return list(_other_layouts(sent[1:])) if is_failure and module_calls else []


def _layout_for_layer(first: ModuleCall, sent: tuple[int, ...], encoder: Encoder) -> InputLayout | None:
    """Return the layout that a layer needs if it received the samples as they were sent, and needs another one."""
    shape, layer = sent[1:], first.module
    if first.input_shape != sent:
        return None
    kind = type(layer).__name__
    if len(shape) > 1 and getattr(layer, "in_features", None) == math.prod(shape):
        return InputLayout((-1,), evidence=f"the first layer is a {kind} of {layer.in_features} features")
    kernel, channels = getattr(layer, "kernel_size", None), getattr(layer, "in_channels", None)
    if not isinstance(kernel, tuple) or channels is None:
        return None
    evidence = f"the first layer is a {kind} of {channels} channel{'s' * (channels > 1)}"
    if len(shape) == len(kernel) and channels == 1:
        return InputLayout(channels_first_shape(shape, spatial=len(kernel)), evidence=evidence)
    if len(shape) != len(kernel) + 1 or shape[-1] != channels or shape[0] == channels == 1:
        return None
    if shape[0] == channels:
        _warn_of_channels(encoder, shape)
        if len(shape) == 2:  # of a signal, which has no usual order
            return None
    return InputLayout((shape[-1], *shape[:-1]), moves_channels=True, evidence=evidence)


def _other_layouts(shape: tuple[int, ...]) -> Iterator[InputLayout]:
    """Yield the layouts to try where a torch model fails on the samples as they are."""
    evidence = "a call succeeded, and one with the samples as they are failed"
    if len(shape) > 1:
        yield InputLayout((-1,), evidence=evidence)
    if len(shape) in (2, 3):
        yield InputLayout(channels_first_shape(shape), moves_channels=len(shape) == 3, evidence=evidence)


def _warn_of_channels(encoder: Encoder, shape: tuple[int, ...]) -> None:
    message = f"Samples of shape {shape} for encoder {encoder.name} may have their channels first or last"
    first, as_they_are = declare("Encoder", layout="channels_first"), declare("Encoder", input_shape=shape)
    if len(shape) == 2:
        warn_user(GuessWarning(f"{message}; they were passed as they are.", fix=as_they_are))
        return
    fix = advise(("To confirm this", first), ("To pass the samples as they are", as_they_are))
    warn_user(GuessWarning(f"{message}; they were read as last.", fix=fix))
