"""PyTorch modules whose codes come from ``forward``."""

from __future__ import annotations

from typing import Any

from vaeviz.model.adapters._detect import defined_in
from vaeviz.model.adapters._forward_only import forward_only_model
from vaeviz.model.opening import COUNTERPARTS, Model, open_with_adapter
from vaeviz.model.whole_model import DECODER_NAMES

# Wrappers by the name of their class, and the attribute that holds the module: it runs like the wrapper, in eval mode.
WRAPPERS = {
    "DataParallel": "module",
    "DistributedDataParallel": "module",
    "FullyShardedDataParallel": "module",
    "_FabricModule": "module",
    "AveragedModel": "module",
    "ModelEma": "module",
    "ModelEmaV2": "module",
    "ModelEmaV3": "module",
    "OptimizedModule": "_orig_mod",
    "EMA": "ema_model",
}

ENCODER_NAMES = ("encode", "encoder", "enc", "_encoder", "_enc")


def torch_module(model: Any) -> Model | None:
    """Open a VAE whose ``forward`` returns reconstruction, mean and log-variance, and what a wrapper contains.

    The decoder must be a part of the VAE. If ``forward`` returns a reconstruction alone, or with losses, the encoder
    of the module is called instead. A module with a method ``encode``, or one that consists of an encoder and a
    decoder alone, needs no adapter. If it has other layers, such as the heads of mean and log-variance, its encoder
    alone does not give the codes. Wrappers for several devices, compilation and averaged weights are opened as the
    module that they contain.

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
    wrapped = wrapped_module(model)
    if wrapped is not None:
        return open_with_adapter(wrapped)[1]
    children = dict(model.named_children())
    if callable(getattr(model, "encode", None)) and "encode" not in children:
        return None
    decoder = _first_part(model, DECODER_NAMES)
    if decoder is None or (children.keys() & {"encode", "encoder"} and not _other_layers(children)):
        return None
    return forward_only_model(model, decoder, _first_part(model, ENCODER_NAMES))


def wrapped_module(model: Any) -> Any:
    """Return the module in a wrapper for several devices, compilation or averaged weights.

    Parameters
    ----------
    model : torch.nn.Module
        The module.

    Returns
    -------
    torch.nn.Module or None
        The module inside. None if it is not a known wrapper.
    """
    attribute = WRAPPERS.get(type(model).__name__)
    return None if attribute is None else getattr(model, attribute, None)


def _first_part(model: Any, names: tuple[str, ...]) -> Any:
    return next((part for name in names if callable(part := getattr(model, name, None))), None)


def _other_layers(children: dict[str, Any]) -> list[str]:
    """Return the names of children with weights that are neither an encoder nor a decoder."""
    others = ((name, child) for name, child in children.items() if name not in COUNTERPARTS)
    return [name for name, child in others if any(True for _ in child.parameters())]
