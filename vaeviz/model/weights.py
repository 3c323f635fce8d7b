"""Weights from a file into a torch module that the user names."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from vaeviz.data.out_of_core import shorten
from vaeviz.errors import GuessWarning, InputError, warn_user
from vaeviz.model.calling import callable_name

PLAIN_PREFIXES = ("", "state_dict.", "model_state_dict.", "model.")  # under which training scripts nest a state dict


def load_weights(model: Any, path: str | Path) -> Any:
    """Load the weights of a file into a torch module.

    Parameters
    ----------
    model : torch.nn.Module, type or callable
        The module; a class or a function is called without arguments to make it.
    path : str or Path
        A ``.safetensors`` file, or a state dict that ``torch.save`` wrote, also inside a checkpoint, or with a prefix
        before all names, such as ``module.``. It is loaded with ``weights_only=True``, so that no code of the file
        runs.

    Returns
    -------
    torch.nn.Module
        The module in eval mode.

    Raises
    ------
    InputError
        If the file does not exist, holds more than tensors, or does not fit the module.

    Warns
    -----
    GuessWarning
        If a prefix was left out, or the file holds several sets of weights that fit.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path} is not an existing file.", got=str(path))
    module: Any = model() if inspect.isclass(model) or inspect.isfunction(model) else model
    if not hasattr(module, "load_state_dict"):
        got = type(module).__name__
        raise InputError(f"{callable_name(model)} is a {got}, and weights need a torch module.", got=got)
    try:
        module.load_state_dict(_find_weights(_read_tensors_by_name(path), module, path))
    except RuntimeError as error:
        raise InputError(f"{path} does not fit {type(module).__name__}: {shorten(str(error))}") from error
    return module.eval()


def _find_weights(tensors: Mapping[str, Any], module: Any, path: Path) -> Mapping[str, Any]:
    """Return the tensors that have the names of a module, after a prefix if there is one."""
    names = list(module.state_dict())
    first = next(iter(names), "")
    found = {}
    for prefix in dict.fromkeys(key.removesuffix(first) for key in tensors if key.endswith(first)):
        weights = {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
        if set(names) == set(weights):
            found[prefix] = weights
    if not found:
        return tensors
    prefix = next((prefix for prefix in found if "ema" in prefix), next(iter(found)))
    others = [f'"{other}"' for other in found if other != prefix]
    if others or prefix not in PLAIN_PREFIXES:
        also = f" It also holds weights with {', '.join(others)}." if others else ""
        message = f'The weights in {path} were read without the prefix "{prefix}" of their names.{also}'
        warn_user(GuessWarning(message))
    return found[prefix]


def _read_tensors_by_name(path: Path) -> dict[str, Any]:
    """Return all tensors of a file, those in nested mappings by their joined names."""
    try:
        content = _read_tensors(path)
    except Exception as error:
        raise InputError(
            f"{path} does not load with weights_only=True, so it holds more than tensors.",
            expected="a state dict",
            fix="Save model.state_dict() instead of the model.",
        ) from error
    if not isinstance(content, Mapping):
        got = type(content).__name__
        raise InputError(f"{path} holds a {got}, and a state dict is expected.", got=got, expected="a state dict")
    return dict(_flatten(content, ""))


def _flatten(content: Mapping[Any, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for key, value in content.items():
        if isinstance(value, Mapping):
            yield from _flatten(value, f"{prefix}{key}.")
        elif hasattr(value, "shape"):
            yield f"{prefix}{key}", value


def _read_tensors(path: Path) -> Any:
    if path.suffix == ".safetensors":
        from safetensors.torch import load_file

        return load_file(path)
    import torch

    return torch.load(path, weights_only=True, map_location="cpu")
