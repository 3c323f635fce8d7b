"""TorchScript files, as ``torch.jit.save`` writes them."""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from vaeviz.adapters._recognising import comes_from, file_of, needed
from vaeviz.errors import InputError
from vaeviz.model import Decoder, Encoder, Model, opened_by

TOUCHES_FILES = re.compile(r"\b(?:torch|aten)\s*\.\s*(?:save|from_file)\b|\bops\s*\.\s*(?!aten\b|prim\b|quantized\b)")
"""What TorchScript can do beyond arithmetic: write or map files, and call operators that other libraries add."""


def torch_script(model: Any) -> Model | None:
    """A TorchScript module or its file: with exported `encode` and `decode` a pair, else an encoder or a decoder.

    Other ``.pt`` files hold pickled Python objects and are refused, and so is code that would touch files.
    """
    if comes_from(model, "torch.jit"):
        return _pair(model, getattr(model, "original_name", "ScriptModule"))
    path = file_of(model, ".pt", ".pth", ".ts", ".torchscript")
    if path is None:
        return None
    torch = needed("torch", "torch", path)
    content = path.read_bytes()
    _check_code(path, content)
    try:
        module = torch.jit.load(io.BytesIO(content), map_location="cpu")
    except (RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{path}: is damaged, or written by another version of torch ({reason})") from None
    return _pair(module, path.name) or replace(opened_by(module)[1], name=path.name)


def _pair(module: Any, name: str) -> Model | None:
    """Its exported methods, in functions that show whose they are: a method of a script does not."""
    found = {role: hasattr(module, role) for role in ("encode", "decode")}
    if not any(found.values()):
        return None
    encoder = Encoder(lambda *inputs: module.encode(*inputs), name=f"{name}.encode") if found["encode"] else None
    decoder = Decoder(lambda *inputs: module.decode(*inputs), name=f"{name}.decode") if found["decode"] else None
    return Model(encoder, decoder, name=name)


def _check_code(path: Path, content: bytes) -> None:
    if not zipfile.is_zipfile(io.BytesIO(content)):
        raise InputError(f"{path}: is truncated, or no TorchScript file. {_in_memory(path)}")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = archive.namelist()
        code = [name for name in names if "/code/" in name and name.endswith(".py")]
        if not code:
            raise InputError(f"{path}: is no TorchScript file but a pickle, which is not loaded. {_in_memory(path)}")
        if len(set(names)) != len(names):
            raise InputError(f"{path}: refused, it holds two files of one name")
        for name in code:
            found = TOUCHES_FILES.search(archive.read(name).decode("utf-8", "replace"))
            if found:
                raise InputError(f"{path}: refused, its code ({name}) would call {found[0]!r}")


def _in_memory(path: Path) -> str:
    return f"For a state dict name its class as well: --model package.module:Class --weights {path.name}"
