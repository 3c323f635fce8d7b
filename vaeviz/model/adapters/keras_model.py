"""Keras 3: models on any backend, and ``.keras`` files."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vaeviz.errors import InputError
from vaeviz.model.adapters._detect import defined_in, existing_file, require_library
from vaeviz.model.adapters._signatures import from_signature
from vaeviz.model.opening import Model, open_with_adapter

IN_MEMORY = "if you trust it, load it yourself and pass the model: --model package.module:name"


def keras_model(model: Any) -> Model | None:
    """A Keras model of one input, run with ``training=False``; its outputs are read in their order.

    A model that holds an `encoder` and a `decoder` is opened as these two. A ``.keras`` file is loaded in safe mode,
    on an installed backend where ``KERAS_BACKEND`` names none.
    """
    path = existing_file(model, ".keras")
    if path is not None:
        return open_with_adapter(_loaded(path))[1]
    if not defined_in(model, "keras") or not callable(model) or isinstance(model, type):
        return None
    if any(hasattr(model, part) for part in ("encode", "decode", "decoder")):
        return None
    return from_signature(_inference(model), *_shapes(model), name=str(getattr(model, "name", type(model).__name__)))


def _inference(model: Any) -> Any:
    def infer(*inputs: Any) -> Any:
        from keras import ops, tree

        returned = model(list(inputs) if len(inputs) > 1 else inputs[0], training=False)
        return tree.map_structure(ops.convert_to_numpy, returned)

    return infer


def _shapes(model: Any) -> tuple[Any, list[Any]]:
    """(shape of the first input, shapes of the outputs), each with the batch axis first; None where unknown."""
    try:
        takes, gives = model.input_shape, model.output_shape
    except (AttributeError, ValueError):  # a subclassed model that was not built
        return None, []
    if isinstance(takes, (list, dict)):
        takes = next(iter(takes.values() if isinstance(takes, dict) else takes))
    if isinstance(gives, dict):
        return takes, list(gives.values())
    return takes, gives if isinstance(gives, list) else [gives]


def _loaded(path: Path) -> Any:
    classes = _checked_classes(path)
    choose_backend()
    keras = require_library("keras", "keras", path)
    for name in sorted(classes):
        if keras.saving.get_registered_object(name) is None:
            raise InputError(f"{path}: holds {name}, which is not of Keras; import its class first, or {IN_MEMORY}")
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{path}: Keras cannot load it ({reason}); {IN_MEMORY}") from None


def choose_backend() -> None:
    """Set ``KERAS_BACKEND`` to an installed backend, unless it is set or Keras is imported already."""
    if "KERAS_BACKEND" in os.environ or "keras" in sys.modules:
        return
    known = {"torch": "torch", "jax": "jax", "tensorflow": "tensorflow", "openvino": "openvino"}
    preferred = [_configured_backend(), *known]
    installed = (name for name in preferred if name in known and importlib.util.find_spec(known[name]))
    os.environ["KERAS_BACKEND"] = next(installed, "torch")


def _configured_backend() -> str | None:
    """The backend in Keras's own config file; it names tensorflow, installed or not, until somebody changes it."""
    folder = os.environ.get("KERAS_HOME") or Path.home() / ".keras"
    try:
        return json.loads((Path(folder) / "keras.json").read_text()).get("backend")
    except (OSError, ValueError, AttributeError):
        return None


def _checked_classes(path: Path) -> set[str]:
    """The registered names of foreign classes in the file; `InputError` if it holds Python code."""
    try:
        with zipfile.ZipFile(path) as archive:
            if sorted(set(archive.namelist())) != sorted(archive.namelist()):
                raise InputError(f"{path}: refused, it holds two files of one name")
            config = json.loads(archive.read("config.json"))
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path}: is truncated, or no .keras file ({error})") from None
    foreign = set()
    for part in _objects(config):
        name, module = str(part.get("class_name")), part.get("module")
        if name in ("Lambda", "__lambda__", "TorchModuleWrapper"):
            raise InputError(f"{path}: refused, its {name} holds Python code that loading would run; {IN_MEMORY}")
        if part.get("registered_name") and not str(module).startswith("keras"):
            foreign.add(str(part["registered_name"]))
        elif module is not None and str(module).partition(".")[0] not in ("keras", "builtins"):
            raise InputError(f"{path}: refused, loading would import {module}.{name}; {IN_MEMORY}")
    return foreign


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    """Every serialized object in a config, at any depth."""
    if isinstance(value, dict):
        if "class_name" in value:
            yield value
        for part in value.values():
            yield from _objects(part)
    elif isinstance(value, list):
        for part in value:
            yield from _objects(part)
