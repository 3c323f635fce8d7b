"""PyTorch: modules whose encoder is no part of its own, so that the codes come from ``forward``."""

from __future__ import annotations

from typing import Any

from vaeviz.model.adapters._detect import defined_in
from vaeviz.model.adapters._forward_only import forward_only_model
from vaeviz.model.opening import Model


def torch_module(model: Any) -> Model | None:
    """A VAE whose ``forward`` returns ``(recon, mean, log_var)`` in some order, and whose decoder stands apart.

    One with ``encode``, or whose ``encoder`` and ``decoder`` are all there is to it, needs no adapter. Where other
    layers stand beside them (the heads of mean and log-variance), ``encoder`` alone would not give the codes.
    """
    if not defined_in(model, "torch.nn.modules.module") or defined_in(model, "keras"):
        return None
    if callable(getattr(model, "encode", None)):
        return None
    decoder = next((part for name in ("decode", "decoder") if callable(part := getattr(model, name, None))), None)
    if decoder is None or (hasattr(model, "encoder") and not layers_beside(model)):
        return None
    return forward_only_model(model, decoder)


def layers_beside(model: Any) -> list[str]:
    """The names of children with weights that are neither ``encoder`` nor ``decoder``."""
    others = ((name, child) for name, child in model.named_children() if name not in ("encoder", "decoder"))
    return [name for name, child in others if any(True for _ in child.parameters())]
