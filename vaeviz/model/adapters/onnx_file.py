"""ONNX files and sessions, through onnxruntime."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from vaeviz.errors import InputError
from vaeviz.model.adapters._detect import defined_in, existing_file, unreadable
from vaeviz.model.adapters._signatures import model_from_signature
from vaeviz.model.opening import Model
from vaeviz.plugins.optional_libraries import import_library

DTYPES = {
    "tensor(double)": np.float64,
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(int32)": np.int32,
    "tensor(int64)": np.int64,
}


def onnx_file(model: Any) -> Model | None:
    """Open an ONNX file or an ``InferenceSession`` as an encoder or a decoder of the shapes that it declares.

    If the batch size is fixed, the last batch is padded.

    Parameters
    ----------
    model : object
        A session of onnxruntime, or the path of an ``.onnx`` file.

    Returns
    -------
    Model or None
        None for anything else.
    """
    if defined_in(model, "onnxruntime.capi") and hasattr(model, "get_inputs"):
        return _model_of_session(model, type(model).__name__)
    path = existing_file(model, ".onnx")
    if path is None:
        return None
    onnxruntime = import_library("onnxruntime", extra="onnx", needed_by=str(path))
    try:
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    except Exception as error:
        raise unreadable(path, "onnxruntime", error) from error
    return _model_of_session(session, path.name)


def _model_of_session(session: Any, name: str) -> Model:
    output_shapes = [output.shape for output in session.get_outputs()]
    return model_from_signature(_run_function(session), session.get_inputs()[0].shape, output_shapes, name)


def _run_function(session: Any) -> Callable[..., Any]:
    """Return a function of arrays in the order and the types of the session's inputs."""
    inputs = session.get_inputs()

    def run(*arrays: np.ndarray) -> Any:
        if len(arrays) != len(inputs):
            names = ", ".join(node.name for node in inputs)
            raise InputError(
                f"The session takes {len(inputs)} inputs ({names}) and received {len(arrays)}.",
                got=str(len(arrays)),
                expected=str(len(inputs)),
            )
        feed = {node.name: np.asarray(a, dtype=DTYPES.get(node.type, np.float32)) for node, a in zip(inputs, arrays)}
        returned = session.run(None, feed)
        return returned[0] if len(returned) == 1 else tuple(returned)

    # A second input is recognized as a condition by the signature, which has the names of the inputs if it can.
    names = [re.sub(r"\W", "_", node.name) for node in inputs]
    names = [name if name.isidentifier() and names.count(name) == 1 else f"input_{i}" for i, name in enumerate(names)]
    parameters = [inspect.Parameter(name, inspect.Parameter.POSITIONAL_ONLY) for name in names]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # functions allow it
    return run
