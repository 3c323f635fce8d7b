"""A torch decoder together with what `vaeviz.decode` does before and after it, as one module."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from vaeviz.explorer.checked_codes import CheckedCodes
from vaeviz.explorer.graph import UnsupportedOperation
from vaeviz.model.decoder import Decoder
from vaeviz.model.output_tree import find_samples


class DecoderModule(nn.Module):
    """Codes to flat samples, in the layout and the range of the data.

    Parameters
    ----------
    decoder : Decoder
        What is declared about the decoder.
    function : callable
        Maps codes, and conditions, to what holds the samples.
    modules : list of torch.nn.Module
        The modules that it uses.
    checked : CheckedCodes
        Codes, whose samples show the layout.
    """

    def __init__(
        self, decoder: Decoder, function: Callable[..., Any], modules: list[Any], checked: CheckedCodes
    ) -> None:
        super().__init__()
        self.parts = nn.ModuleList(modules)  # so that their weights belong to this module
        self.decoder, self.function, self.checked = decoder, function, checked
        weights = [tensor for tensor in (*self.parameters(), *self.buffers()) if tensor.is_floating_point()]
        first = weights[0] if weights else torch.empty(0)
        self.dtype, self.device = first.dtype, first.device
        kind = None if checked.condition is None else checked.condition.dtype.kind
        self.condition_dtype = torch.int64 if kind in ("i", "u", "b") else self.dtype

    def forward(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        """Decode codes.

        Parameters
        ----------
        z : Tensor, shape (N, D)
            Codes.
        condition : Tensor, shape (N, K), optional
            Conditions.

        Returns
        -------
        Tensor, shape (N, S)
            Samples.
        """
        arguments = [z.reshape(-1, *self.checked.code_shape).to(self.dtype)]
        if condition is not None and self.checked.condition is not None:
            values = condition.reshape(-1, *self.checked.condition.shape[1:])
            arguments.append(values.to(self.condition_dtype))
        samples = find_samples(self.function(*arguments))
        if not isinstance(samples, Tensor):
            raise UnsupportedOperation("it returns no tensor")
        if self.decoder.output == "logits":
            samples = samples.sigmoid()
        if self.decoder.value_range is not None:
            low, high = self.decoder.value_range
            samples = (samples - low) / (high - low)
        return self._arrange(samples).flatten(1).to(torch.float32)

    def _arrange(self, samples: Tensor) -> Tensor:
        """Return samples with the axes in the order of the data, as `OutputLayout.arrange` does, then of the page."""
        if self.checked.layout.moves_channels:
            samples = samples.movedim(1, -1)
        own, shape = tuple(samples.shape[1:]), self.checked.layout.shape
        if own != shape and len(own) > 1 and shape == (*own[1:], own[0]) and own[0] > 1:
            samples = samples.movedim(1, -1)
        elif own != shape and len(own) > 1 and shape == (own[-1], *own[:-1]) and own[-1] > 1:
            samples = samples.movedim(-1, 1)
        dims = self.checked.space.dims
        return samples if dims is None else samples.reshape(-1, *shape).permute(0, *(dim + 1 for dim in dims))
