"""PyTorch modules whose codes come from ``forward``."""

from __future__ import annotations

from typing import Any

from vaeviz.model.adapters._detect import defined_in
from vaeviz.model.adapters._forward_only import forward_only_model
from vaeviz.model.opening import Model


def torch_module(model: Any) -> Model | None:
    """Open a VAE whose ``forward`` returns reconstruction, mean and log-variance, and whose decoder is a part of it.

    A module with ``encode``, or one that consists of ``encoder`` and ``decoder`` alone, needs no adapter. If it has
    other layers, such as the heads of mean and log-variance, ``encoder`` alone does not give the codes.

    Parameters
    ----------
    model : object
        A ``torch.nn.Module``.

    Returns
    -------
    Model or None
        None for anything else.
    """
    if not defined_in(model, "torch.nn.modules.module") or defined_in(model, "keras"):
        return None
    if callable(getattr(model, "encode", None)):
        return None
    decoder = next((part for name in ("decode", "decoder") if callable(part := getattr(model, name, None))), None)
    if decoder is None or (hasattr(model, "encoder") and not _other_layers(model)):
        return None
    return forward_only_model(model, decoder)


def _other_layers(model: Any) -> list[str]:
    """Return the names of children with weights that are neither ``encoder`` nor ``decoder``."""
    others = ((name, child) for name, child in model.named_children() if name not in ("encoder", "decoder"))
    return [name for name, child in others if any(True for _ in child.parameters())]
