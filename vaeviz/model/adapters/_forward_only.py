"""Models whose codes come from the call of the whole model, which returns them beside the reconstruction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from vaeviz.errors import InputError
from vaeviz.model.calling import callable_name
from vaeviz.model.decoder import Decoder
from vaeviz.model.encoder import Encoder
from vaeviz.model.opening import Model
from vaeviz.model.outputs import has_codes


def forward_only_model(model: Any, decoder: Any, encoder: Any = None) -> Model:
    """Return a model whose encoder is the call of the whole model.

    Parameters
    ----------
    model : callable
        The whole model.
    decoder : callable
        Its decoder.
    encoder : callable, optional
        A part that is called instead if the whole model returns no codes.

    Returns
    -------
    Model
        The model.
    """
    return Model(
        Encoder(_forward_with_codes(model, decoder, encoder), name=callable_name(model)),
        Decoder(decoder, name=callable_name(decoder)),
        name=type(model).__name__,
    )


def _forward_with_codes(model: Any, decoder: Any, encoder: Any) -> Callable[..., Any]:
    """Return the model's call or, once that was seen to return no codes, the call of its encoder."""
    returns_codes = True

    def forward(x: Any, *condition: Any) -> Any:
        nonlocal returns_codes
        if not returns_codes:
            return encoder(x, *condition)
        returned = model(x, *condition)
        if has_codes(returned, x):
            return returned
        codes = None if encoder is None else encoder(x, *condition)
        if codes is None or not _decodes(decoder, codes, *condition):
            raise InputError(
                "The model returns reconstructions and no codes.",
                got="reconstructions",
                expected="(reconstruction, mean, log_var)",
                fix="Pass a function of x that returns (mean, log_var) as the encoder.",
            )
        returns_codes = False
        return codes

    return forward


def _decodes(decoder: Any, codes: Any, *condition: Any) -> bool:
    """Return False if a decoder fails on codes, as on features from which the model computes its codes."""
    try:
        decoder(codes, *condition)
    except Exception:
        return False
    return True
