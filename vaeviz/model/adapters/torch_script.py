"""TorchScript modules and files, as ``torch.jit.save`` writes them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from vaeviz.errors import Fix, InputError
from vaeviz.model.adapters._detect import defined_in, existing_file, require_trust, unreadable
from vaeviz.model.decoder import Decoder
from vaeviz.model.encoder import Encoder
from vaeviz.model.opening import Model, open_with_adapter
from vaeviz.plugins.optional_libraries import import_library

STATE_DICT_OR_TRUST = Fix(
    "If it holds weights, write vaeviz.load_weights(YourModule, path). If it holds TorchScript and you trust "
    "its author, write vaeviz.open(path, trust=True).",
    "If it holds weights, name their class as MODEL and the file as --weights FILE. If it holds TorchScript and you "
    "trust its author, add --trust.",
)


def torch_script(model: Any, *, trust: bool = False) -> Model | None:
    """Open a TorchScript module or its file.

    With exported methods ``encode`` and ``decode`` it is a pair, else an encoder or a decoder.

    Parameters
    ----------
    model : object
        A script module, or the path of a ``.pt``, ``.pth``, ``.ts`` or ``.torchscript`` file.
    trust : bool, default False
        Load files. A TorchScript file is a program; it can read and write files when it runs.

    Returns
    -------
    Model or None
        None for anything else.

    Raises
    ------
    InputError
        For a file that is not trusted, or that does not hold TorchScript.
    """
    if defined_in(model, "torch.jit"):
        return _model_of_methods(model, getattr(model, "original_name", "ScriptModule"))
    path = existing_file(model, ".pt", ".pth", ".ts", ".torchscript")
    if path is None:
        return None
    require_trust(path, "may hold a program, which could read and write any file", trust=trust, fix=STATE_DICT_OR_TRUST)
    torch = import_library("torch", extra="torch", needed_by=str(path))
    try:
        module = torch.jit.load(str(path), map_location="cpu")
    except (RuntimeError, ValueError) as error:
        raise unreadable(path, "torch.jit", error) from error
    opened = _model_of_methods(module, path.name)
    if opened is not None:
        return opened
    _, opened = open_with_adapter(module)
    if opened is None:
        raise InputError(f"{path} holds a TorchScript module without encode, decode or forward.")
    return replace(opened, name=path.name)


def _model_of_methods(module: Any, name: str) -> Model | None:
    """Return the exported methods as a pair, or None if there are none."""
    has_encode, has_decode = hasattr(module, "encode"), hasattr(module, "decode")
    if not (has_encode or has_decode):
        return None
    # A method of a script module does not show its module, a function around it does.
    encoder = Encoder(lambda *inputs: module.encode(*inputs), name=f"{name}.encode") if has_encode else None
    decoder = Decoder(lambda *inputs: module.decode(*inputs), name=f"{name}.decode") if has_decode else None
    return Model(encoder, decoder, name=name)
