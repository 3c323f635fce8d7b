"""What a record says of where it comes from: versions, the hash of every input's numbers, where something failed."""

from __future__ import annotations

import contextlib
import hashlib
import json
import platform
import traceback
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from vaeviz.data.arrays import as_array
from vaeviz.data.out_of_core import SampleStream, default_batch_size, is_out_of_core, iterate_blocks, sample_shape
from vaeviz.model.calling import torch_modules
from vaeviz.model.opening import Model
from vaeviz.model.posterior import Posterior


def package_versions() -> dict[str, str]:
    """The versions of Python and of the packages that make the pictures and the numbers."""
    found = {"python": platform.python_version()}
    for name in ("vaeviz", "matplotlib", "numpy", "scipy", "scikit-learn", "torch"):
        with contextlib.suppress(Exception):
            found[name] = version(name)
    return found


def describe_inputs(inputs: Mapping[str, Any]) -> dict[str, dict]:
    """What each input is, by name: the shape and hash of data, of codes, and of a torch model's weights."""
    return {name: _described(value) for name, value in sorted(inputs.items())}


def portable_traceback() -> str:
    """That of the exception in hand, without this machine's folders, so that a record is the same everywhere."""
    import vaeviz

    text, root = traceback.format_exc(), Path(vaeviz.__file__).parent.parent
    return text.replace(f"{root}/", "").replace(f"{Path.cwd()}/", "")


def sha256_hex(content: Any) -> str:
    return hashlib.sha256(content).hexdigest()


def _described(value: Any) -> dict:
    remembered = getattr(value, "remembered", None)
    if remembered is not None:
        return {"name": value.name, "posterior": _of_posterior(remembered[1]), **_of_weights(value.fn)}
    if hasattr(value, "fn"):
        return {"name": value.name, **_of_weights(value.fn)}
    if isinstance(value, Model):
        parts = {"encoder": value.encoder, "decoder": value.decoder}
        return {"name": value.name, **{role: _described(part) for role, part in parts.items() if part is not None}}
    if isinstance(value, (list, tuple)) and any(isinstance(part, Model) for part in value):
        return {"models": [_described(part) for part in value]}
    if isinstance(value, SampleStream) or is_out_of_core(value):
        return {"shape": list(value.shape), "dtype": str(value.dtype), "sha256": _of_rows(value)}
    if isinstance(value, Mapping):
        return {"keys": list(value), "sha256": sha256_hex(json.dumps(value, default=str).encode())}
    try:
        array = np.asarray(value)
        content = json.dumps(array.tolist()).encode() if array.dtype == object else np.ascontiguousarray(array)
        return {"shape": list(array.shape), "dtype": str(array.dtype), "sha256": sha256_hex(content)}
    except (TypeError, ValueError):  # ragged, or of things that are no plain values
        return {"type": type(value).__name__}


def _of_rows(x: np.ndarray | SampleStream) -> str:
    """The hash of what does not lie in memory, that which it would have there."""
    digest = hashlib.sha256()
    for block in iterate_blocks(x, default_batch_size(sample_shape(x))):
        digest.update(np.ascontiguousarray(block))
    return digest.hexdigest()


def _of_posterior(posterior: Posterior) -> dict:
    parts = {"mean": posterior.mean, "std": posterior.std}
    hashes = {
        f"{key}_sha256": sha256_hex(np.ascontiguousarray(part)) for key, part in parts.items() if part is not None
    }
    return {"shape": list(posterior.mean.shape), **hashes}


def _of_weights(function: Any) -> dict:
    """The hash of the weights of the torch modules that a callable reaches; nothing if it reaches none."""
    modules = torch_modules(function)
    if not modules:
        return {}
    digest = hashlib.sha256()
    for module in modules:
        for name, tensor in module.state_dict().items():
            digest.update(name.encode())
            if hasattr(tensor, "detach"):
                digest.update(np.ascontiguousarray(as_array(tensor)))
    return {"weights_sha256": digest.hexdigest()}
