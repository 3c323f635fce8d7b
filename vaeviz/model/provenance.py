"""The origin of a record: versions, hashes of all inputs, and tracebacks that are the same everywhere."""

from __future__ import annotations

import contextlib
import hashlib
import json
import platform
import sys
import traceback
import warnings
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from vaeviz.data.arrays import as_array
from vaeviz.data.out_of_core import (
    SampleStream,
    default_batch_size,
    is_out_of_core,
    iterate_blocks,
    sample_shape,
    take_rows,
)
from vaeviz.model.attribute_watch import watch_attributes
from vaeviz.model.calling import restored_random_state
from vaeviz.model.decode import decode
from vaeviz.model.decoder_likelihood import DecoderLikelihood
from vaeviz.model.encode import trace_encoding
from vaeviz.model.encoder import Encoder
from vaeviz.model.opening import Model
from vaeviz.model.part import ModelPart
from vaeviz.model.posterior import Posterior
from vaeviz.model.torch_operands import record_operands
from vaeviz.model.torch_probe import loaded_modules, record_modules

PACKAGES = ("vaeviz", "matplotlib", "numpy", "scipy", "scikit-learn", "torch")  # which make the figures and numbers


def package_versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that make the figures and numbers.

    Returns
    -------
    dict of str to str
        Version by name. Packages that are not installed are left out.
    """
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        with contextlib.suppress(Exception):
            found[name] = version(name)
    return found


def describe_inputs(inputs: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Describe inputs by shape and hash: those of data, codes, and the weights of torch models.

    Parameters
    ----------
    inputs : mapping
        Inputs by name.

    Returns
    -------
    dict of str to dict
        What each input is, by name.
    """
    return {name: _describe_input(value, inputs) for name, value in sorted(inputs.items())}


def portable_traceback() -> str:
    """Return the traceback of the current exception without the folders of this machine.

    Returns
    -------
    str
        The traceback.
    """
    import vaeviz

    text, root = traceback.format_exc(), Path(vaeviz.__file__).parent.parent
    return text.replace(f"{root}/", "").replace(f"{Path.cwd()}/", "")


def sha256_hex(content: Any) -> str:
    """Return the SHA-256 hash of bytes.

    Parameters
    ----------
    content : bytes-like
        The bytes, e.g. a contiguous array.

    Returns
    -------
    str
        Its hexadecimal digits.
    """
    return hashlib.sha256(content).hexdigest()


def _describe_input(value: Any, inputs: Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(value, ModelPart):
        return _describe_part(value, inputs)
    if isinstance(value, Model):
        parts = {"encoder": value.encoder, "decoder": value.decoder}
        return {"name": value.name} | {
            role: _describe_part(part, inputs) for role, part in parts.items() if part is not None
        }
    if isinstance(value, DecoderLikelihood):
        return {"name": value.name}
    if isinstance(value, (list, tuple)) and any(isinstance(part, Model) for part in value):
        return {"models": [_describe_input(part, inputs) for part in value]}
    if isinstance(value, SampleStream) or is_out_of_core(value):
        return {"shape": list(value.shape), "dtype": str(value.dtype), "sha256": _hash_rows(value)}
    if isinstance(value, Mapping):
        return {"keys": list(value), "sha256": sha256_hex(json.dumps(value, default=str).encode())}
    try:
        array = np.asarray(value)
        content = json.dumps(array.tolist()).encode() if array.dtype == object else np.ascontiguousarray(array)
        return {"shape": list(array.shape), "dtype": str(array.dtype), "sha256": sha256_hex(content)}
    except (TypeError, ValueError):  # ragged, or of objects that are not plain values
        return {"type": type(value).__name__}


def _hash_rows(x: np.ndarray | SampleStream) -> str:
    """Return the hash that samples on disk would have in memory."""
    digest = hashlib.sha256()
    for block in iterate_blocks(x, default_batch_size(sample_shape(x))):
        digest.update(np.ascontiguousarray(block).data)
    return digest.hexdigest()


def _describe_part(part: ModelPart, inputs: Mapping[str, Any]) -> dict[str, Any]:
    described: dict[str, Any] = {"name": part.name}
    if isinstance(part, Encoder) and part._cached is not None:
        described["posterior"] = _describe_posterior(part._cached[1])
    modules = modules_that_run(part, inputs)
    return described | {"weights_sha256": _hash_weights(modules) or _hash_bare_weights(part, inputs)}


def _describe_posterior(posterior: Posterior) -> dict[str, Any]:
    arrays = {"mean": posterior.mean, "std": posterior.std}
    hashes = {
        f"{name}_sha256": sha256_hex(np.ascontiguousarray(array)) for name, array in arrays.items() if array is not None
    }
    return {"shape": list(posterior.mean.shape), **hashes}


def modules_that_run(part: ModelPart, inputs: Mapping[str, Any]) -> list[Any]:
    """Return the torch modules that run when an encoder or a decoder is called.

    An encoder with a cache knows them. Others are called with one sample or code, and random states are restored.

    Parameters
    ----------
    part : Encoder or Decoder
        The part.
    inputs : mapping
        Inputs by name, from which the sample or the code is taken.

    Returns
    -------
    list of torch.nn.Module
        The outermost modules, in the order in which they start. Those that are only known to be loaded by the
        callable if it cannot be called, or none was seen to run.
    """
    if "torch" not in sys.modules:
        return []
    loaded = loaded_modules(part.fn)
    owner = getattr(part.fn, "__self__", part.fn)  # a module whose method is called does not run itself
    ran: list[Any] = [module for module in loaded if module is owner]
    if isinstance(part, Encoder) and part._cached_modules is not None:
        ran += part._cached_modules
    else:
        with record_modules() as calls:
            _call_once(part, inputs)
        ran += [call.module for call in calls]
    inside = {id(child) for module in ran for child in module.modules() if child is not module}
    return list({id(module): module for module in ran if id(module) not in inside}.values()) or loaded


def _call_once(part: ModelPart, inputs: Mapping[str, Any]) -> None:
    """Call an encoder with the first sample, or a decoder with the first code. It may fail."""
    with restored_random_state(), warnings.catch_warnings(), contextlib.suppress(Exception):
        warnings.simplefilter("ignore")
        _call_with_first(part, inputs)


def _call_with_first(part: ModelPart, inputs: Mapping[str, Any]) -> None:
    encoder, condition = inputs.get("encoder"), inputs.get("condition")
    first_condition = None if condition is None else condition[:1]
    if isinstance(part, Encoder):
        x = part._cached[0] if part._cached is not None else inputs["x"]
        trace_encoding(part, take_rows(x, slice(1)), first_condition)
        return
    latent_shape = getattr(part, "latent_shape", None)
    if isinstance(encoder, Encoder) and encoder._cached is not None:
        decode(part, encoder._cached[1][:1], first_condition if part.is_conditional else None)
    elif latent_shape is not None:
        first_known = list(part.known_conditions)[:1] if part.known_conditions else None
        decode(part, np.zeros((1, *latent_shape), np.float32), first_known if part.is_conditional else None)


def _hash_bare_weights(part: ModelPart, inputs: Mapping[str, Any]) -> str | None:
    """Return the hash of weights that are of no torch module: torch tensors, and variables of NNX modules.

    Weights are the tensors that two calls both use: what a call computes is another tensor each time.
    """
    weights: list[Any] = _nnx_weights(part, inputs)
    if "torch" in sys.modules:
        with record_operands() as first:
            _call_once(part, inputs)
        with record_operands() as second:
            _call_once(part, inputs)
        in_both = {id(tensor) for tensor in first} & {id(tensor) for tensor in second}
        weights += [tensor for tensor in first if id(tensor) in in_both]
    digest = hashlib.sha256()
    for values in weights:
        digest.update(_bytes_of(values))
    return digest.hexdigest() if weights else None


def _bytes_of(weights: Any) -> memoryview:
    """Return the bytes of weights; of complex ones of torch, those of their real and imaginary parts."""
    is_complex = getattr(weights, "is_complex", bool)()
    values = sys.modules["torch"].view_as_real(weights.resolve_conj()) if is_complex else weights
    return np.ascontiguousarray(as_array(values)).data


def _nnx_weights(part: ModelPart, inputs: Mapping[str, Any]) -> list[Any]:
    """Return the numbers in the variables of the NNX modules that a call uses."""
    nnx: Any = sys.modules.get("flax.nnx")
    if nnx is None:
        return []
    import jax

    modules: dict[int, Any] = {}
    with watch_attributes(nnx.Module, lambda module: modules.setdefault(id(module), module)):
        _call_once(part, inputs)
    states = [nnx.state(module, nnx.Not(nnx.RngState)) for module in modules.values()]
    leaves = {id(leaf): leaf for leaf in jax.tree.leaves(states)}
    return [leaf for leaf in leaves.values() if not isinstance(leaf, jax.core.Tracer)]


def _hash_weights(modules: list[Any]) -> str | None:
    """Return the hash of the weights of torch modules. None if they have none."""
    if not any(module.state_dict() for module in modules):
        return None
    digest = hashlib.sha256()
    for module in modules:
        for name, tensor in module.state_dict().items():
            digest.update(name.encode())
            if hasattr(tensor, "detach"):
                digest.update(_bytes_of(tensor))
    return digest.hexdigest()
