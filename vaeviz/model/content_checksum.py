"""A quick checksum of what codes depend on, which shows that a cached posterior is out of date."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

import numpy as np

from vaeviz.data.out_of_core import SampleStream, is_out_of_core

MAX_CHECKED_VALUES = 4096  # of an array or tensor, evenly spaced, so that large models are checked in milliseconds


def content_checksum(x: np.ndarray | SampleStream, modules: Iterable[Any]) -> int:
    """Return a checksum of samples in memory and of the parameters and buffers of torch modules.

    Parameters
    ----------
    x : ndarray or SampleStream, shape (N, ...)
        Samples. Those that are not in memory do not count.
    modules : iterable of torch.nn.Module
        The modules.

    Returns
    -------
    int
        The checksum. It is the same in another process and on another device.

    Notes
    -----
    Version counters, which torch increases with every change in place, miss changes through ``.data``. So values are
    compared, at most 4,096 of each array and tensor: training, loading weights and rescaling are seen, a change of a
    few values in a large tensor may not be.
    """
    checksum = 0
    source = x.origin if isinstance(x, SampleStream) else x
    if isinstance(source, np.ndarray) and not is_out_of_core(source):
        checksum = zlib.crc32(np.ascontiguousarray(source.flat[:: _step(source.size)]).view(np.uint8).data)
    for values in _spaced_values(modules):
        checksum = zlib.crc32(values.data, checksum)
    return checksum


def _spaced_values(modules: Iterable[Any]) -> Iterator[np.ndarray]:
    """Yield the bytes of evenly spaced values of each parameter and buffer."""
    tensors = {id(tensor): tensor for module in modules for tensor in (*module.parameters(), *module.buffers())}
    for tensor in tensors.values():
        with suppress(Exception):  # lazy, sparse and some quantized tensors have no plain values
            import torch

            values = tensor.detach().reshape(-1)[:: _step(tensor.numel())]
            yield values.cpu().contiguous().view(torch.uint8).numpy()


def _step(size: int) -> int:
    return max(1, -(-size // MAX_CHECKED_VALUES))
