"""Load the weights of a file into a model that the user names."""

from __future__ import annotations

import inspect
import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from types import FunctionType, MethodType
from typing import Any

from vaeviz.data.batches import one_line
from vaeviz.data.out_of_core import shorten
from vaeviz.errors import Fix, GuessWarning, InputError, warn_user
from vaeviz.model.calling import callable_name
from vaeviz.model.weights.files import WeightFile, read_weight_file
from vaeviz.model.weights.keras import KERAS_SUFFIX, load_keras_weights
from vaeviz.model.weights.names import (
    PARTIAL_FIX,
    WeightMismatch,
    compare_weights,
    find_prefix,
    names_without_compiler,
)
from vaeviz.model.weights.transformers_folder import load_transformers_folder


def load_weights(model: Any, path: str | Path, *, prefix: str | None = None, strict: bool = True) -> Any:
    """Load the weights of a file into a model, without running code of the file.

    Parameters
    ----------
    model : torch.nn.Module, Keras model, type or callable
        The model, whose weights are replaced. A class or a function is called to make it, with those arguments that
        ``config.json`` of the folder, or ``hyper_parameters`` of a Lightning checkpoint, records under the names of its
        parameters.
    path : str or Path
        A file of ``torch.save`` (``.pt``, ``.pth``, ``.ckpt``, ``.bin``), ``.safetensors``, the ``.index.json`` of
        several of them, a folder with one of these and perhaps ``config.json``, as Hugging Face has it, or a
        ``.weights.h5`` of Keras.
    prefix : str, optional
        What the names of the weights begin with in the file, such as ``"state_dict.vae."``. By default the prefix under
        which most weights of the model are found.
    strict : bool, default True
        Raise an error unless every weight of the model is in the file, and every tensor under the prefix in the model.
        If false, weights that do not fit stay as they are, and a warning lists them.

    Returns
    -------
    torch.nn.Module or Keras model
        The model, in eval mode.

    Raises
    ------
    WeightMismatch
        If the weights do not fit. Its `differences` list all that is missing, unexpected or of another shape.
    InputError
        If the file cannot be read, or the model cannot be made.

    Warns
    -----
    GuessWarning
        If a prefix was left out, the file holds several sets of weights that fit, or it records an argument of the
        class as an object, which is not read.

    Notes
    -----
    Files are opened with ``weights_only=True``. If they hold more, such as hyper-parameters of a class of their own,
    only tensors and plain containers are built, and any other object is replaced by one that does nothing. The weights
    of a module that was pickled as a whole are found, too. A class receives the arguments that the file records; pass
    an object instead of a class that imports or opens what its arguments name.

    Examples
    --------
    >>> import tempfile
    >>> import torch
    >>> path = Path(tempfile.mkdtemp()) / "last.ckpt"
    >>> trained = torch.nn.Linear(4, 2)
    >>> torch.save({"epoch": 3, "state_dict": trained.state_dict()}, path)
    >>> loaded = load_weights(torch.nn.Linear(4, 2), path)
    >>> torch.equal(loaded.weight, trained.weight)
    True
    """
    path = Path(path)
    if path.name.endswith(KERAS_SUFFIX):
        return load_keras_weights(_make_model(model, WeightFile({})), path, strict=strict)
    if (
        inspect.isclass(model)
        and os.path.isdir(path)
        and hasattr(model, "config_class")
        and hasattr(model, "from_pretrained")
    ):
        return load_transformers_folder(model, path, strict=strict)
    file = read_weight_file(path)
    module = _make_model(model, file, path if os.path.isdir(path) else None)
    if not hasattr(module, "load_state_dict"):
        got = type(module).__name__
        raise InputError(f"{callable_name(model)} is a {got}, and weights need a torch module.", got=got)
    _fill_module(module, file.tensors, path, prefix, strict=strict)
    return module.eval()


def _make_model(model: Any, file: WeightFile, folder: Path | None = None) -> Any:
    """Return a model, made by its class or function with the settings that it has parameters for."""
    if not isinstance(model, (type, FunctionType, MethodType, partial)):
        return model
    make: Any = model
    name = callable_name(make)
    settings = file.settings
    try:
        if folder is not None and hasattr(make, "from_config"):  # of diffusers
            return make.from_config(dict(settings))
        parameters = inspect.signature(make).parameters
        lacking = [
            parameter.name
            for parameter in parameters.values()
            if parameter.default is parameter.empty
            and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
            and parameter.name not in settings
        ]
        if lacking:
            raise InputError(
                f"{name} needs {', '.join(lacking)}, and the file does not record it as a plain value.",
                got="no " + " and no ".join(lacking),
                expected=", ".join(lacking),
                fix=Fix(
                    f"Pass an object: load_weights({name}({', '.join(f'{one}=...' for one in lacking)}), path).",
                    f"Write a function without arguments that returns {name}(...), and name it instead of the class.",
                ),
            )
        unread = [one for one in file.unread if one in parameters and one not in getattr(make, "keywords", {})]
        if unread:
            listed = ", ".join(map(shorten, unread))
            fix = Fix(
                f"Pass an object: load_weights({name}({', '.join(f'{one}=...' for one in unread)}), path).",
                f"Write a function without arguments that returns {name}(...), and name it instead of the class.",
            )
            warn_user(GuessWarning(f"{name} has its default {listed}, since the file holds an object there.", fix=fix))
        return make(**{key: value for key, value in settings.items() if key in parameters})
    except InputError:
        raise
    except Exception as error:
        raise InputError(f"{name} cannot be made: {shorten(one_line(error))}", got=type(error).__name__) from error


def _fill_module(module: Any, tensors: Mapping[str, Any], path: Path, prefix: str | None, *, strict: bool) -> None:
    """Copy the tensors of a file into a module, and report what does not fit."""
    state = module.state_dict()
    own = {name: value for name, value in state.items() if hasattr(type(value), "shape")}
    own_names = names_without_compiler(own)
    shapes = {plain: _shape(own[name]) for plain, name in own_names.items()}
    tensors = {plain: tensors[name] for plain, name in names_without_compiler(tensors).items()}
    prefix = find_prefix(tensors, shapes, path) if prefix is None else prefix
    found = {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
    fitting = {own_names[name]: value for name, value in found.items() if name in shapes and _fits(value, shapes[name])}
    differences = compare_weights(
        {name: tuple(value.shape) for name, value in found.items()},
        {
            plain: shape
            for plain, shape in shapes.items()
            if plain in found or not _is_tied(own, own_names[plain], fitting)
        },
    )
    name = type(module).__name__
    if differences and (strict or not fitting):
        advice = PARTIAL_FIX if fitting else f"Name the class whose weights are in {path.name}."
        raise WeightMismatch(f"{path} does not fit {name}.", differences, fix=advice)
    module.load_state_dict(fitting, strict=False)
    if others := ", ".join(shorten(other) for other in state if other not in own):
        warn_user(UserWarning(f"{others} of {name} keeps its initial value, since only tensors are read from {path}."))
    if differences:
        n_kept = len(differences.missing) + len(differences.wrong_shape)
        kept = f"{n_kept} of {len(own)} weights of {name} keep their initial values."
        warn_user(UserWarning(f"{path} does not fit {name}. {differences} {kept}"))


def _is_tied(own: Mapping[str, Any], name: str, loaded: Mapping[str, Any]) -> bool:
    """Return True if a weight is the same memory as one that is loaded, so that files hold it once."""
    weight = own[name]
    return _shape(weight) is not None and any(
        own[other].data_ptr() == weight.data_ptr() != 0 and own[other].shape == weight.shape for other in loaded
    )


def _shape(value: Any) -> tuple[int, ...] | None:
    """Return the shape of a weight; None if the module finds it out when it is called."""
    from torch.nn.parameter import is_lazy

    return None if is_lazy(value) else tuple(value.shape)


def _fits(value: Any, shape: tuple[int, ...] | None) -> bool:
    return shape is None or tuple(value.shape) == shape
