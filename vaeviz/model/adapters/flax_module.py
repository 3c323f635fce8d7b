"""Flax: Linen modules with bound parameters, and NNX modules."""

from __future__ import annotations

from typing import Any

from vaeviz.errors import InputError
from vaeviz.model.adapters._detect import defined_in
from vaeviz.model.adapters._forward_only import forward_only_model
from vaeviz.model.opening import Model, open_with_adapter


def flax_module(model: Any) -> Model | None:
    """Open a bound Linen module, or an NNX module, of which a copy runs in eval mode.

    Parameters
    ----------
    model : object
        A module of ``flax.linen`` or ``flax.nnx``.

    Returns
    -------
    Model or None
        None for anything else, and for a Linen module that needs no adapter.

    Raises
    ------
    InputError
        For a Linen module without parameters.
    """
    if defined_in(model, "flax.linen"):
        return _linen_model(model)
    if defined_in(model, "flax.nnx"):
        return _nnx_model(model)
    return None


def _linen_model(model: Any) -> Model | None:
    if model.scope is None:
        name = type(model).__name__
        raise InputError(f"{name} has no parameters.", fix=f"Pass {name}(...).bind(variables).")
    if hasattr(model, "decode") and not hasattr(model, "encode") and not hasattr(model, "encoder"):
        return forward_only_model(model, model.decode)
    return None


def _nnx_model(model: Any) -> Model | None:
    """Open the parts of a copy in eval mode. An attribute marks the copy, so that it is not copied again."""
    from flax import nnx

    if getattr(model, "_vaeviz_opened", False):
        return None
    copied = nnx.clone(model)
    copied.eval()
    object.__setattr__(copied, "_vaeviz_opened", True)
    return open_with_adapter(copied)[1]
