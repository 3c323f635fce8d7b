"""Keras 3: models on any backend, and ``.keras`` files."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from vaeviz.errors import InputError
from vaeviz.model.adapters._detect import defined_in, existing_file, require_trust, unreadable
from vaeviz.model.adapters._signatures import model_from_signature
from vaeviz.model.opening import Model, open_with_adapter
from vaeviz.model.output_names import SPREAD_KINDS, kind_of_name, sounds_like_a_spread
from vaeviz.plugins.optional_libraries import import_library

MAX_CONFIG_BYTES = 1 << 26  # of the description of layers in a file; thousands of layers take a few megabytes
CODE_CLASSES = ("Lambda", "__lambda__", "TorchModuleWrapper")  # their configurations hold Python bytecode or pickles


def keras_model(model: Any, *, trust: bool = False) -> Model | None:
    """Open a Keras model of one input, run with ``training=False``.

    A model that has an ``encoder`` and a ``decoder`` is opened as these two. A ``.keras`` file is loaded on an
    installed backend unless ``KERAS_BACKEND`` names one.

    Parameters
    ----------
    model : object
        A Keras model, or the path of a ``.keras`` file.
    trust : bool, default False
        Load files that hold Python code, such as Lambda layers, or that name classes of other modules.

    Returns
    -------
    Model or None
        None for anything else.

    Raises
    ------
    InputError
        For a damaged file, one that needs trust, and one with classes that are not registered with Keras.
    """
    path = existing_file(model, ".keras")
    if path is not None:
        return open_with_adapter(_load_model(path, trust=trust))[1]
    if not defined_in(model, "keras") or not callable(model) or isinstance(model, type):
        return None
    if any(hasattr(model, part) for part in ("encode", "decode", "decoder")):
        return None
    name = str(getattr(model, "name", type(model).__name__))
    return model_from_signature(_inference_function(model), *_shapes(model), name=name)


def _inference_function(model: Any) -> Callable[..., Any]:
    def infer(*inputs: Any) -> Any:
        from keras import ops, tree

        returned = model(list(inputs) if len(inputs) > 1 else inputs[0], training=False)
        arrays = tree.map_structure(ops.convert_to_numpy, returned)
        names = getattr(model, "output_names", None) or ()
        is_named = isinstance(arrays, (list, tuple)) and len(set(names)) == len(arrays) == len(names)
        kinds = {kind_of_name(name) for name in names}
        has_spread = bool(kinds & {*SPREAD_KINDS}) or any(map(sounds_like_a_spread, names))
        return dict(zip(names, arrays)) if is_named and "mean" in kinds and has_spread else arrays

    return infer


def _shapes(model: Any) -> tuple[Any, list[Any]]:
    """Return the shape of the first input and the shapes of the outputs, the batch axis first; None if unknown."""
    try:
        input_shape, output_shape = model.input_shape, model.output_shape
    except (AttributeError, ValueError):  # a subclassed model that was not built
        return None, []
    if isinstance(input_shape, (list, dict)):
        input_shape = next(iter(input_shape.values() if isinstance(input_shape, dict) else input_shape))
    if isinstance(output_shape, dict):
        return input_shape, list(output_shape.values())
    return input_shape, output_shape if isinstance(output_shape, list) else [output_shape]


def _load_model(path: Path, *, trust: bool) -> Any:
    foreign = _foreign_classes(path, trust=trust)
    choose_backend()
    keras = import_library("keras", extra="keras", needed_by=str(path))
    for name in sorted(foreign):
        if not trust and keras.saving.get_registered_object(name) is None:
            raise InputError(
                f"{path} holds {name}, which Keras does not know.",
                got=name,
                fix="Import the module that registers it with keras.saving.register_keras_serializable first.",
            )
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=not trust)
    except Exception as error:
        raise unreadable(path, "Keras", error) from error


def choose_backend() -> None:
    """Set ``KERAS_BACKEND`` to an installed backend, unless it is set or Keras is imported already."""
    if "KERAS_BACKEND" in os.environ or "keras" in sys.modules:
        return
    known = {"torch": "torch", "jax": "jax", "tensorflow": "tensorflow", "openvino": "openvino"}
    preferred = [_configured_backend(), *known]
    installed = (name for name in preferred if name in known and importlib.util.find_spec(known[name]))
    os.environ["KERAS_BACKEND"] = next(installed, "torch")


def _configured_backend() -> str | None:
    """Return the backend in the configuration file of Keras, which names tensorflow by default."""
    folder = os.environ.get("KERAS_HOME") or Path.home() / ".keras"
    try:
        backend = json.loads((Path(folder) / "keras.json").read_text()).get("backend")
    except (OSError, ValueError, AttributeError):
        return None
    return backend if isinstance(backend, str) else None


def _foreign_classes(path: Path, *, trust: bool) -> set[str]:
    """Return the registered names of classes that are not of Keras.

    Raises
    ------
    InputError
        If loading the file would run code of the file or import a module that it names, without trust.
    """
    foreign = set()
    for part in _serialized_objects(_read_config(path)):
        name, module = str(part.get("class_name")), part.get("module")
        if name in CODE_CLASSES:
            require_trust(path, f"holds a {name} with Python code, which runs when the file is loaded", trust=trust)
        if part.get("registered_name") and not str(module).startswith("keras"):
            foreign.add(str(part["registered_name"]))
        elif module is not None and str(module).partition(".")[0] not in ("keras", "builtins"):
            require_trust(path, f"names {module}.{name}, which is imported when the file is loaded", trust=trust)
    return foreign


def _read_config(path: Path) -> Any:
    try:
        with zipfile.ZipFile(path) as archive:
            if max(Counter(archive.namelist()).values(), default=0) > 1:  # which one is read is not defined
                raise InputError(f"{path} is damaged: it holds two files of one name.")
            if archive.getinfo("config.json").file_size > MAX_CONFIG_BYTES:
                raise InputError(f"{path} is damaged: its config.json has more than {MAX_CONFIG_BYTES:,} bytes.")
            return json.loads(archive.read("config.json"))
    except InputError:
        raise
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise InputError(f"{path} is not a .keras file, or it is damaged: {error}") from error


def _serialized_objects(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every serialized object of a configuration, at any depth."""
    if isinstance(value, dict):
        if "class_name" in value:
            yield value
        for part in value.values():
            yield from _serialized_objects(part)
    elif isinstance(value, list):
        for part in value:
            yield from _serialized_objects(part)
