"""Weights from a file into a module that its owner made: safetensors, or a state dict of plain tensors."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vaeviz.errors import InputError
from vaeviz.model.calling import callable_name


def load_weights(model: Any, path: str | Path) -> Any:
    """The torch module with the weights of a file; a class, or a function that makes one, is called first.

    path: ``.safetensors``, or a state dict that `torch.save` wrote, also one under the key ``state_dict``. It is
    loaded with ``weights_only=True``; `InputError` if that refuses it, or if it does not fit.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: does not exist, or is no file")
    module = model() if inspect.isclass(model) or inspect.isfunction(model) else model
    if not hasattr(module, "load_state_dict"):
        raise InputError(f"{callable_name(model)}: weights go into a torch module, got {type(module).__name__}")
    try:
        module.load_state_dict(_state(path))
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{path}: does not fit {type(module).__name__}: {reason}") from None
    return module.eval()


def _state(path: Path) -> Mapping[str, Any]:
    try:
        state = _read(path)
    except Exception:
        raise InputError(f"{path}: refused, it does not load with weights_only=True; save model.state_dict()") from None
    for key in ("state_dict", "model_state_dict", "model"):
        if isinstance(state, Mapping) and isinstance(state.get(key), Mapping):
            state = state[key]
    if not isinstance(state, Mapping):
        raise InputError(f"{path}: holds a {type(state).__name__}, expected a state dict")
    return state


def _read(path: Path) -> Any:
    if path.suffix == ".safetensors":
        from safetensors.torch import load_file

        return load_file(path)
    import torch

    return torch.load(path, weights_only=True, map_location="cpu")
