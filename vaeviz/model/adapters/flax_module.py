"""Flax: Linen modules with their parameters bound, and NNX modules."""

from __future__ import annotations

from typing import Any

from vaeviz.errors import InputError
from vaeviz.model.adapters._detect import defined_in
from vaeviz.model.adapters._forward_only import forward_only_model
from vaeviz.model.opening import Model, open_with_adapter


def flax_module(model: Any) -> Model | None:
    """A bound Linen module, or an NNX module, of which a copy runs in eval mode."""
    if defined_in(model, "flax.linen"):
        return _linen(model)
    if defined_in(model, "flax.nnx"):
        return _nnx(model)
    return None


def _linen(model: Any) -> Model | None:
    if model.scope is None:
        raise InputError(f"{type(model).__name__}: has no parameters; pass {type(model).__name__}(...).bind(variables)")
    if hasattr(model, "decode") and not hasattr(model, "encode") and not hasattr(model, "encoder"):
        return forward_only_model(model, model.decode)
    return None


def _nnx(model: Any) -> Model | None:
    """Its parts, from a copy in eval mode; the copy is told from a model by a mark, since its type is the same."""
    from flax import nnx

    if getattr(model, "_vaeviz_opened", False):
        return None
    copied = nnx.clone(model)
    copied.eval()
    object.__setattr__(copied, "_vaeviz_opened", True)
    return open_with_adapter(copied)[1]
