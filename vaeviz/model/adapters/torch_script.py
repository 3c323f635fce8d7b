"""TorchScript files, as ``torch.jit.save`` writes them."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

from vaeviz.errors import InputError
from vaeviz.model.adapters._detect import defined_in, existing_file, require_library
from vaeviz.model.adapters._torch_script_checks import check_torch_script
from vaeviz.model.decoder import Decoder
from vaeviz.model.encoder import Encoder
from vaeviz.model.opening import Model, open_with_adapter


def torch_script(model: Any) -> Model | None:
    """A TorchScript module or its file: with exported `encode` and `decode` a pair, else an encoder or a decoder.

    Other ``.pt`` files hold pickled Python objects and are refused, and so is code that would do more than compute.
    """
    if defined_in(model, "torch.jit"):
        return _pair(model, getattr(model, "original_name", "ScriptModule"))
    path = existing_file(model, ".pt", ".pth", ".ts", ".torchscript")
    if path is None:
        return None
    torch = require_library("torch", "torch", path)
    content = path.read_bytes()
    check_torch_script(path, content)
    try:
        module = torch.jit.load(io.BytesIO(content), map_location="cpu")
    except (RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{path}: is damaged, or written by another version of torch ({reason})") from None
    return _pair(module, path.name) or replace(open_with_adapter(module)[1], name=path.name)


def _pair(module: Any, name: str) -> Model | None:
    """Its exported methods, in functions that show whose they are: a method of a script does not."""
    found = {role: hasattr(module, role) for role in ("encode", "decode")}
    if not any(found.values()):
        return None
    encoder = Encoder(lambda *inputs: module.encode(*inputs), name=f"{name}.encode") if found["encode"] else None
    decoder = Decoder(lambda *inputs: module.decode(*inputs), name=f"{name}.decode") if found["decode"] else None
    return Model(encoder, decoder, name=name)
