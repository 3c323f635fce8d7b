"""Weights from a file into a torch module that the user names."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vaeviz.errors import InputError
from vaeviz.model.calling import callable_name

STATE_DICT_KEYS = ("state_dict", "model_state_dict", "model")  # under which training scripts nest a state dict


def load_weights(model: Any, path: str | Path) -> Any:
    """Load the weights of a file into a torch module.

    Parameters
    ----------
    model : torch.nn.Module, type or callable
        The module; a class or a function is called without arguments to make it.
    path : str or Path
        A ``.safetensors`` file, or a state dict that ``torch.save`` wrote, also one under the key ``state_dict``. It is
        loaded with ``weights_only=True``, so that no code of the file runs.

    Returns
    -------
    torch.nn.Module
        The module in eval mode.

    Raises
    ------
    InputError
        If the file does not exist, holds more than tensors, or does not fit the module.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path} is not an existing file.", got=str(path))
    module: Any = model() if inspect.isclass(model) or inspect.isfunction(model) else model
    if not hasattr(module, "load_state_dict"):
        got = type(module).__name__
        raise InputError(f"{callable_name(model)} is a {got}, and weights need a torch module.", got=got)
    try:
        module.load_state_dict(_read_state_dict(path))
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:300]
        raise InputError(f"{path} does not fit {type(module).__name__}: {reason}") from error
    return module.eval()


def _read_state_dict(path: Path) -> Mapping[str, Any]:
    try:
        state = _read_tensors(path)
    except Exception as error:
        raise InputError(
            f"{path} does not load with weights_only=True, so it holds more than tensors.",
            expected="a state dict",
            fix="Save model.state_dict() instead of the model.",
        ) from error
    for key in STATE_DICT_KEYS:
        if isinstance(state, Mapping) and isinstance(state.get(key), Mapping):
            state = state[key]
    if not isinstance(state, Mapping):
        got = type(state).__name__
        raise InputError(f"{path} holds a {got}, and a state dict is expected.", got=got, expected="a state dict")
    return state


def _read_tensors(path: Path) -> Any:
    if path.suffix == ".safetensors":
        from safetensors.torch import load_file

        return load_file(path)
    import torch

    return torch.load(path, weights_only=True, map_location="cpu")
