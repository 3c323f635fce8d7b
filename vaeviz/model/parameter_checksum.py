"""A quick checksum of a model, which differs if its parameters have changed."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

MAX_CHECKED_VALUES = 4096  # of a tensor, evenly spaced, so that large models are checked in milliseconds


def parameter_checksum(modules: Iterable[Any]) -> int:
    """Return a checksum of the parameters and buffers of torch modules.

    Parameters
    ----------
    modules : iterable of torch.nn.Module
        The modules.

    Returns
    -------
    int
        The checksum. It is the same in another process and on another device.

    Notes
    -----
    Version counters, which torch increases with every change in place, miss changes through ``.data``. So values are
    compared, at most 4,096 of each tensor: training and loaded weights are noticed; a change of a few values in a large
    tensor may be missed.
    """
    checksum = 0
    tensors = {id(tensor): tensor for module in modules for tensor in (*module.parameters(), *module.buffers())}
    for tensor in tensors.values():
        with suppress(Exception):  # lazy, sparse and some quantized tensors have no plain values
            import torch

            values = tensor.detach().reshape(-1)[:: max(1, -(-tensor.numel() // MAX_CHECKED_VALUES))]
            checksum = zlib.crc32(values.cpu().contiguous().view(torch.uint8).numpy().data, checksum)
    return checksum
