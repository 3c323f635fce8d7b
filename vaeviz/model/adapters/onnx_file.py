"""ONNX files and sessions, through onnxruntime."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from vaeviz.errors import InputError
from vaeviz.model.adapters._detect import defined_in, existing_file, require_library
from vaeviz.model.adapters._signatures import from_signature
from vaeviz.model.opening import Model

DTYPES = {"tensor(float)": np.float32, "tensor(double)": np.float64, "tensor(float16)": np.float16}
DTYPES |= {"tensor(int64)": np.int64, "tensor(int32)": np.int32}


def onnx_file(model: Any) -> Model | None:
    """An ONNX file, or an open ``InferenceSession``: an encoder or a decoder of the shapes that it declares.

    Where it takes a fixed number of rows, the last batch is filled up.
    """
    if defined_in(model, "onnxruntime.capi") and hasattr(model, "get_inputs"):
        return _opened(model, type(model).__name__)
    path = existing_file(model, ".onnx")
    if path is None:
        return None
    onnxruntime = require_library("onnxruntime", "onnx", path)
    try:
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{path}: onnxruntime cannot read it ({reason})") from None
    return _opened(session, path.name)


def _opened(session: Any, name: str) -> Model:
    inputs, outputs = session.get_inputs(), session.get_outputs()
    return from_signature(_runner(session), inputs[0].shape, [output.shape for output in outputs], name)


def _runner(session: Any) -> Callable[..., Any]:
    """A function of arrays, in the order and the types of the session's inputs."""
    inputs = session.get_inputs()

    def run(*arrays: np.ndarray) -> Any:
        if len(arrays) != len(inputs):
            named = ", ".join(given.name for given in inputs)
            raise InputError(f"it takes {len(inputs)} inputs ({named}), got {len(arrays)}")
        typed = {given.name: _typed(array, given.type) for given, array in zip(inputs, arrays)}
        returned = session.run(None, typed)
        return returned[0] if len(returned) == 1 else tuple(returned)

    kind = inspect.Parameter.POSITIONAL_ONLY  # by which a second input is known for a condition
    run.__signature__ = inspect.Signature([inspect.Parameter(f"input_{i}", kind) for i in range(len(inputs))])
    return run


def _typed(array: np.ndarray, wanted: str) -> np.ndarray:
    return np.asarray(array, dtype=DTYPES.get(wanted, np.float32))
