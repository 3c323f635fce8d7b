"""A torch decoder together with what `vaeviz.decode` does before and after it, as one module to trace."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from vaeviz.explorer.checked_codes import CheckedCodes
from vaeviz.explorer.graph import UnsupportedOperation
from vaeviz.model.decoder import Decoder
from vaeviz.model.output_tree import get_output


class TracedDecoder:
    """Decode tensors of codes to flat samples, in the layout of the page and the range of the data.

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

    Attributes
    ----------
    dtype : torch.dtype
        Type of the weights.
    device : torch.device
        Where they are.
    """

    def __init__(
        self, decoder: Decoder, function: Callable[..., Any], modules: list[Any], checked: CheckedCodes
    ) -> None:
        import torch

        self.decoder, self.function, self.modules, self.checked = decoder, function, modules, checked
        tensors = [tensor for module in modules for tensor in (*module.parameters(), *module.buffers())]
        first = next((tensor for tensor in tensors if tensor.is_floating_point()), torch.empty(0))
        self.dtype, self.device = first.dtype, first.device
        kind = "" if checked.condition is None else checked.condition.dtype.kind
        self._condition_dtype = torch.int64 if kind in tuple("iub") else self.dtype

    def __call__(self, z: Any, condition: Any = None) -> Any:
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
            arguments.append(values.to(self._condition_dtype))
        samples = get_output(self.function(*arguments), self.checked.layout.path)
        if not hasattr(samples, "movedim"):
            raise UnsupportedOperation("it returns no tensor")
        if self.decoder.output == "logits":
            samples = samples.sigmoid()
        if self.decoder.value_range is not None:
            low, high = self.decoder.value_range
            samples = (samples - low) / (high - low)
        return self._arrange(samples).flatten(1).float()

    def _arrange(self, samples: Any) -> Any:
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

    def as_module(self) -> Any:
        """Return this function as a module, so that its weights belong to one.

        Returns
        -------
        torch.nn.Module
            The module.
        """
        from torch import nn

        class Module(nn.Module):
            def __init__(self, compute: TracedDecoder) -> None:
                super().__init__()
                self.parts = nn.ModuleList(compute.modules)
                self.compute = compute

            def forward(self, *inputs: Any) -> Any:
                return self.compute(*inputs)

        return Module(self)
